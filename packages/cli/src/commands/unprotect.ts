/** `unprotect`: from then on the profile is stopped, changed and removed like any other. */
import type { EditResult } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["unprotect"]>;

export async function run(context: Context, { name, confirm }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  await chooseTargets(context, profiles, { names: [name], confirm });
  return { value: await profiles.edit(name, { protected: false }) };
}

export function render({ profile, changes }: EditResult, { paint, quiet }: View): string {
  if (quiet) return "";
  return `${paint.bold(profile)} ${changes.length === 0 ? "was not protected" : "is no longer protected"}\n`;
}
