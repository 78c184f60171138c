/**
 * Does the same thing to several profiles, side by side or in their order, and combines the results. After one profile's
 * failure the others are still tried, except for those that come after it; the exit status is the gravest of all.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { describeSpared, shellCommand } from "@lockkeeper/core/internal";
import type { SparedProcess } from "@lockkeeper/core/internal";
import type { OrderedStep, ProfileStatus, StopOptions } from "@lockkeeper/profiles";
import type { ErrorDocument } from "./command-line/command.ts";
import type { Failure, Result } from "./command-module.ts";
import type { Context } from "./context.ts";
import { errorDocument } from "./error-text.ts";
import { describeWait } from "./lease-text.ts";
import { chooseTargets, skippedNotes, unknownFailures } from "./targets.ts";
import type { Named } from "./targets.ts";
import { plainLine } from "./terminal/plain-text.ts";
import { paintState } from "./status-table.ts";
import type { View } from "./terminal/view.ts";

/** The result for one profile: the element of the JSON array that `start`, `stop` and similar commands print. */
export interface ProfileOutcome {
  readonly name: string;
  /** The verb's own word (`started`, `already-running`, ...), or `failed`. */
  readonly outcome: string;
  readonly status: ProfileStatus | null;
  readonly error: ErrorDocument | null;
  /** The old gateway did not end by itself in time. */
  readonly killed?: true;
  /** Processes that were started inside the gateway and spared. */
  readonly spared?: readonly SparedProcess[];
}

/**
 * How many profiles are worked on at once. A start is three processes that compute; a stop waits for its gateway, and none should
 * wait for another's.
 */
const AT_ONCE: Readonly<Record<AfterFailure, number>> = { "hold-back": 16, "go-on": 128 };

/** Whether a step is done or skipped when one that it awaited has failed. */
type AfterFailure = "go-on" | "hold-back";

/** Acts on each step once those that it awaits have ended. `hold-back`: not when one of them failed or only stands by. */
export async function onEachProfile(
  context: Context,
  steps: readonly OrderedStep[],
  afterFailure: AfterFailure,
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
  /** Why the steps that await it are held back, by name; null when they are not. */
  const ended = new Map<string, string | null>();

  const work = async ({ name, awaits }: OrderedStep, index: number): Promise<void> => {
    const onProgress = (text: string): void => context.progress.update(name, text);
    try {
      for (const other of awaits) {
        const reason = ended.get(other) ?? null;
        if (reason !== null && afterFailure === "hold-back") throw heldBack(name, other, reason);
      }
      const { outcome, status, killed, spared = [] } = await act(name, onProgress);
      outcomes[index] = {
        name,
        outcome,
        status,
        error: null,
        ...(killed === true && { killed }),
        ...(spared.length > 0 && { spared }),
      };
      ended.set(name, status.state === "standby" ? "it stands by" : null);
    } catch (error) {
      const document = errorDocument(error);
      outcomes[index] = { name, outcome: "failed", status: null, error: document };
      failures.push({ name: steps.length > 1 ? name : null, error });
      ended.set(name, document.message);
    }
  };
  await inTheirOrder(steps, AT_ONCE[afterFailure], work);
  context.progress.finish();
  return { value: outcomes, failures };
}

/** Calls `work` for each step once those that it awaits have ended; at most `atOnce` run at a time. `work` does not throw. */
async function inTheirOrder(
  steps: readonly OrderedStep[],
  atOnce: number,
  work: (step: OrderedStep, index: number) => Promise<void>,
): Promise<void> {
  const open = new Set(steps.map(({ name }) => name));
  const waiting = new Set(steps.keys());
  const running = new Set<Promise<void>>();
  while (open.size > 0) {
    for (const index of waiting) {
      const step = steps[index];
      if (step === undefined || running.size >= atOnce) break;
      if (step.awaits.some((name) => open.has(name))) continue;
      waiting.delete(index);
      const run = work(step, index).finally(() => {
        open.delete(step.name);
        running.delete(run);
      });
      running.add(run);
    }
    // A plan has no circle, so some step runs as long as any is open.
    if (running.size === 0) return;
    await Promise.race(running);
  }
}

function heldBack(name: string, other: string, reason: string): LockkeeperError {
  return new LockkeeperError("HELD_BACK", `${name} was held back, because it comes after ${other}: ${reason}`, {
    hint: `When that is mended: ${shellCommand("lockkeeper", "start", name)}`,
  });
}

/** Stops the chosen profiles, followers first, and notes the protected ones that were left out and the followers that go on. */
export async function stopEach(
  context: Context,
  given: Named & { readonly timeout?: number | undefined },
  options: Pick<StopOptions, "stopMyself"> = {},
): Promise<Result> {
  const profiles = await context.openProfiles();
  const targets = await chooseTargets(context, profiles, given);
  const { stop: signal } = context.world.interruption();
  const { steps, followers } = await profiles.order("stop", targets.names);
  const result = await onEachProfile(context, steps, "go-on", (name, onProgress) =>
    profiles.stop(name, { ...options, timeoutMs: given.timeout, signal, onProgress }),
  );
  const notes = [...skippedNotes(context, targets), ...(await followerNotes(context, followers))];
  const failures = [...(result.failures ?? []), ...unknownFailures(context, targets)];
  return { ...result, failures, notes };
}

/** Notes about running profiles that come after the stopped ones. */
async function followerNotes(context: Context, followers: readonly string[]): Promise<readonly string[]> {
  if (followers.length === 0) return [];
  const profiles = await context.openProfiles();
  const living = (await profiles.list({ probe: false })).filter(
    ({ name, pid, keeperPid }) => followers.includes(name) && (pid !== null || keeperPid !== null),
  );
  if (living.length === 0) return [];
  const names = living.map(({ name }) => name);
  const [verb, follow] = names.length === 1 ? ["goes", "comes"] : ["go", "come"];
  return [
    `${names.join(" and ")} ${verb} on, though ${names.length === 1 ? "it" : "they"} ${follow} after what was stopped (${shellCommand("lockkeeper", "stop", ...names)})`,
  ];
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
