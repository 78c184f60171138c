/** `edit`: changes what a profile is, and shows the difference. */
import { LockkeeperError } from "@lockkeeper/core";
import type { EditResult } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { editNotes, renderEdit } from "../edit-difference.ts";
import { preflightNotes } from "../preflight-notes.ts";
import { toProfileOptions } from "../profile-arguments.ts";
import { chooseTargets } from "../targets.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["edit"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  if (given.rest?.length === 0) {
    throw new LockkeeperError("USAGE", "edit: no program after --", { hint: "Name one, or leave -- away." });
  }
  const profiles = await context.openProfiles();
  const options = toProfileOptions(given, context.world.cwd);
  // A dry run changes nothing, so it needs no consent.
  if (!given.dryRun) await chooseTargets(context, profiles, { names: [given.name], confirm: given.confirm });
  const result = await profiles.edit(given.name, { ...options, unset: given.unset, dryRun: given.dryRun });
  const isProtected = result.pending && (await profiles.find(result.profile)).protected;
  const warnings = context.json || given.dryRun ? [] : await preflightNotes(profiles, given.name);
  return { value: result, notes: [...warnings, ...editNotes(result, isProtected)] };
}

export function render(result: EditResult, view: View): string {
  return renderEdit(result, view);
}
