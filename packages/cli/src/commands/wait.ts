/** `wait`: returns when profiles are ready, or stopped: for scripts. */
import type { ProfileStatus, WaitResult } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { combineStatuses } from "../exit-status.ts";
import { paintState } from "../status-table.ts";
import { chooseTargets } from "../targets.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["wait"]>;

const OF_OUTCOME: Readonly<Record<WaitResult["outcome"], number>> = { reached: 0, "timed-out": 5, "gave-up": 1 };

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const { names } = await chooseTargets(context, profiles, given);
  const { stop: signal } = context.world.interruption();
  const onProgress = ({ name, state }: ProfileStatus): void => context.progress.update(name, state);
  const results = await profiles.wait(names, { for: given.for, timeoutMs: given.timeout, signal, onProgress });
  context.progress.finish();
  // After an abort the library answers with the present states. A person's Ctrl-C must not look like the end of the time.
  if (results.some(({ outcome }) => outcome === "timed-out")) signal.throwIfAborted();
  return { value: results, status: combineStatuses(results.map(({ outcome }) => OF_OUTCOME[outcome])) };
}

export function render(results: readonly WaitResult[], { paint, quiet }: View): string {
  if (quiet) return results.map(({ status }) => `${status.name}\n`).join("");
  const spoiler = results.find(({ outcome }) => outcome === "gave-up")?.status.name;
  const over = spoiler === undefined ? "when the time was over" : `when ${spoiler} had given up`;
  return results
    .map(({ outcome, status: { name, state, reason } }) => {
      const why = outcome === "reached" || reason === null ? "" : `, ${plainLine(reason)}`;
      const end = outcome === "timed-out" ? ` (still waiting ${over})` : "";
      return `${paint.bold(name)}: ${paintState(state, paint)(state)}${why}${end}\n`;
    })
    .join("");
}
