/** `stop`: stops profiles side by side; done when their processes are gone and their ports are free. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { followerNotes, onEachProfile, renderOutcomes } from "../each-profile.ts";
import type { ProfileOutcome } from "../each-profile.ts";
import { chooseTargets, skippedNotes } from "../targets.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["stop"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const targets = await chooseTargets(context, profiles, given);
  const { stop: signal } = context.world.interruption();
  const { steps, followers } = await profiles.order("stop", targets.names);
  const result = await onEachProfile(context, steps, "go-on", (name, onProgress) =>
    profiles.stop(name, { timeoutMs: given.timeout, stopMyself: given.yesStopMyself, signal, onProgress }),
  );
  const notes = [...skippedNotes(context, targets), ...(await followerNotes(context, followers))];
  return { ...result, notes };
}

export function render(outcomes: readonly ProfileOutcome[], view: View): string {
  return renderOutcomes(outcomes, view);
}
