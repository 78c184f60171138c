/** `up`: creates what is missing (a built-in gateway unless another kind is asked for), starts everything named, prints the list of it. Idempotent. */
import { LockkeeperError } from "@lockkeeper/core";
import type { CreateOptions, ProfileStatus, Profiles } from "@lockkeeper/profiles";
import { isPattern, parseProfileName } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { onEachProfile } from "../each-profile.ts";
import { renderStatusTable } from "../status-table.ts";
import { setRequest } from "../set-plan-text.ts";
import { chooseTargets, type Targets } from "../targets.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["up"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  // A bad name among good ones: nothing is created at all.
  given.names.filter((word) => !isPattern(word)).forEach(parseProfileName);
  const profiles = await context.openProfiles();
  const fromFile = await namesOfFile(context, profiles, given);
  const { names } = fromFile ?? (await chooseTargets(context, profiles, given));
  const { stop: signal } = context.world.interruption();
  const existing = new Set((await profiles.list({ probe: false })).map(({ name }) => name));
  const { steps } = await profiles.order("start", names);
  const { failures } = await onEachProfile(context, steps, "hold-back", async (name, onProgress) => {
    if (!existing.has(name) && names.includes(name)) {
      onProgress("creating");
      await createUnlessThere(profiles, { name, kind: kindOf(given), argv: given.rest });
    }
    onProgress("starting");
    return profiles.start(name, { timeoutMs: given.timeout, signal, onProgress });
  });
  const statuses = (await profiles.list()).filter(({ name }) => steps.some((step) => step.name === name));
  const notes = names.length === 0 ? [`No profiles in ${profiles.home}. Make one with: lockkeeper up dev`] : [];
  return { value: statuses, failures: failures ?? [], notes };
}

export function render(statuses: readonly ProfileStatus[], view: View): string {
  return renderStatusTable(statuses, view);
}

/** A file that was applied; undefined when none is named. */
async function namesOfFile(context: Context, profiles: Profiles, given: Arguments): Promise<Targets | undefined> {
  if (given.file === undefined && given.prefix === undefined) return undefined;
  if (given.names.length > 0 || given.file === undefined) {
    const message = given.file === undefined ? "--prefix belongs to --file" : `--file and ${given.names[0]} contradict`;
    throw new LockkeeperError("USAGE", `up: ${message}`, { hint: "Give names, or a file." });
  }
  return { names: await profiles.appliedSet(setRequest(context.world, given)), skipped: [] };
}

function kindOf({ kind, rest }: Arguments): string {
  return kind ?? (rest === undefined ? "builtin" : "command");
}

/** Two `up`s at once may both find a profile missing; it is there afterwards, which is all that either wants. */
async function createUnlessThere(profiles: Profiles, options: CreateOptions): Promise<void> {
  try {
    await profiles.create(options);
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code !== "PROFILE_EXISTS") throw error;
  }
}
