/** `start`: starts profiles and what they come after, each as soon as it may, and waits until each is healthy. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { onEachProfile, renderOutcomes } from "../each-profile.ts";
import type { ProfileOutcome } from "../each-profile.ts";
import { limitWarnings } from "../limit-warnings.ts";
import { chooseTargets } from "../targets.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["start"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const { timeout: timeoutMs, port, replace } = given;
  const standby = given.noStandby ? false : undefined;
  const profiles = await context.openProfiles();
  const { names } = await chooseTargets(context, profiles, given);
  if (port !== undefined && names.length > 1) {
    throw new LockkeeperError("USAGE", `--port ${port} cannot be the port of ${names.length} profiles`, {
      hint: "Start them one by one.",
    });
  }
  const { stop: signal } = context.world.interruption();
  const { steps } = await profiles.order("start", names);
  const result = await onEachProfile(context, steps, "hold-back", (name, onProgress) =>
    // Notes are about the named profiles, not about those that they come after.
    profiles.start(name, {
      timeoutMs,
      signal,
      onProgress,
      ...(names.includes(name) && { port, replace, standby }),
    }),
  );
  const warnings = context.json ? [] : await Promise.all(names.map((name) => limitWarnings(profiles, name)));
  return { ...result, notes: [...(result.notes ?? []), ...warnings.flat()] };
}

export function render(outcomes: readonly ProfileOutcome[], view: View): string {
  return renderOutcomes(outcomes, view);
}
