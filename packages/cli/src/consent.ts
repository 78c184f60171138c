/**
 * The question before an action that is not easily undone. It is never asked where nobody can answer: there the command line
 * must contain the consent.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { World } from "./context.ts";

/** The error without a yes: its code is CONFIRMATION_NEEDED. */
export interface Refusal {
  /** What was not done: `not removed: dev`. */
  readonly message: string;
  /** The command with the consent in it. Not shown to a person who has just said no. */
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
  const { message, hint, evidence = [] } = refusal;
  if (!world.canAsk()) {
    const why = `${message}; it takes a yes, and there is no terminal to ask`;
    throw new LockkeeperError("CONFIRMATION_NEEDED", why, { hint, evidence });
  }
  const answer = await world.ask(`${question} [y/N] `);
  if (answer === undefined || !/^y(es)?$/i.test(answer.trim()))
    throw new LockkeeperError("CONFIRMATION_NEEDED", message);
}
