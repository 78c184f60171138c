/**
 * Does the same thing to several profiles side by side and makes one answer of it. One profile's failure does not
 * keep the others from being tried; the exit status is the gravest of all.
 */
import { describeSpared } from "@lockkeeper/core";
import type { SparedProcess } from "@lockkeeper/core";
import type { ProfileStatus } from "@lockkeeper/profiles";
import type { ErrorDocument } from "./command-line/command.ts";
import type { Failure, Result } from "./command-module.ts";
import type { Context } from "./context.ts";
import { errorDocument } from "./error-text.ts";
import { describeWait } from "./lease-text.ts";
import { plainLine } from "./terminal/plain-text.ts";
import { paintState } from "./status-table.ts";
import type { View } from "./terminal/view.ts";

/** What became of one profile: the element of the JSON array that `start`, `stop` and their like print. */
export interface ProfileOutcome {
  readonly name: string;
  /** The verb's own word (`started`, `already-running`, ...), or `failed`. */
  readonly outcome: string;
  readonly status: ProfileStatus | null;
  readonly error: ErrorDocument | null;
  /** The gateway that was ended for it did not end by itself in its time. */
  readonly killed?: true;
  /** What was started from inside of the gateway and was left alone. */
  readonly spared?: readonly SparedProcess[];
}

/** How many profiles are worked on at once; each start is three processes. */
const AT_ONCE = 16;

export async function onEachProfile(
  context: Context,
  names: readonly string[],
  act: (
    name: string,
    onProgress: (text: string) => void,
  ) => Promise<{
    readonly outcome: string;
    readonly status: ProfileStatus;
    readonly killed?: boolean;
    readonly spared?: readonly SparedProcess[];
  }>,
): Promise<Result & { readonly value: readonly ProfileOutcome[] }> {
  const outcomes: ProfileOutcome[] = [];
  const failures: Failure[] = [];
  const waiting = names.map((name, index) => ({ name, index }));

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, index } = next;
      const onProgress = (text: string): void => context.progress.update(name, text);
      try {
        const { outcome, status, killed, spared = [] } = await act(name, onProgress);
        outcomes[index] = {
          name,
          outcome,
          status,
          error: null,
          ...(killed === true && { killed }),
          ...(spared.length > 0 && { spared }),
        };
      } catch (error) {
        outcomes[index] = { name, outcome: "failed", status: null, error: errorDocument(error) };
        failures.push({ name: names.length > 1 ? name : null, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, work));
  context.progress.finish();
  return { value: outcomes, failures };
}

/** Renders what `onEachProfile` returned: a line for each profile that did not fail. Pure. */
export function renderOutcomes(outcomes: readonly ProfileOutcome[], { paint, quiet }: View): string {
  let text = "";
  for (const { name, outcome, status, killed, spared } of outcomes) {
    if (status === null) continue;
    if (quiet) {
      text += `${name}\n`;
      continue;
    }
    if (status.state === "standby") {
      text += `${paint.bold(name)}: ${paintState(status.state, paint)("standby")}; ${describeWait(status)}\n`;
      continue;
    }
    const facts = [paintState(status.state, paint)(outcome.replaceAll("-", " "))];
    if (outcome === "killed") facts.push("it did not end by itself in its time (--stop-timeout, --timeout)");
    if (killed === true) facts.push("the one before had to be killed");
    if (spared !== undefined) facts.push(`left alone: ${plainLine(describeSpared(spared))}`);
    if (status.pid !== null) facts.push(status.url, `pid ${status.pid}`);
    if (status.reason !== null && status.pid !== null) facts.push(plainLine(status.reason));
    text += `${paint.bold(name)}: ${facts.join(", ")}\n`;
  }
  return text;
}
