/** `restart`: stops and starts profiles side by side, never two gateways of one profile at once. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { onEachProfile } from "../each-profile.ts";
import { chooseTargets, skippedNotes } from "../targets.ts";

export { renderOutcomes as render } from "../each-profile.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["restart"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const targets = await chooseTargets(context, profiles, given);
  const { stop: signal } = context.world.interruption();
  const { steps } = await profiles.order("restart", targets.names);
  const result = await onEachProfile(context, steps, "hold-back", (name, onProgress) =>
    profiles.restart(name, { timeoutMs: given.timeout, signal, onProgress }),
  );
  return { ...result, notes: skippedNotes(context, targets) };
}
