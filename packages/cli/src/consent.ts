/**
 * The question before an action that is not easily undone. It is never asked where nobody can answer: there the command line
 * must contain the consent.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { World } from "./context.ts";

/** The error where nobody can answer, or the answer is no: its code is CONFIRMATION_NEEDED. */
export interface Refusal {
  readonly message: string;
  readonly hint: string;
  /** The effects, one fact a line. */
  readonly evidence?: readonly string[];
}

/**
 * Returns only after a yes.
 *
 * @throws {LockkeeperError} CONFIRMATION_NEEDED as `refusal` says it, when nobody can answer or the answer is no.
 */
export async function requireYes(world: World, question: string, refusal: Refusal): Promise<void> {
  const answer = world.canAsk() ? await world.ask(`${question} [y/N] `) : undefined;
  if (answer !== undefined && /^y(es)?$/i.test(answer.trim())) return;
  const { message, hint, evidence = [] } = refusal;
  throw new LockkeeperError("CONFIRMATION_NEEDED", message, { hint, evidence });
}
