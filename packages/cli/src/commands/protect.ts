/** `protect`: from then on, ending or changing the profile needs its name twice. */
import type { EditResult } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["protect"]>;

export async function run(context: Context, { name }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  return { value: await profiles.edit(name, { protected: true }) };
}

export function render({ profile, changes }: EditResult, { paint, quiet }: View): string {
  if (quiet) return "";
  return `${paint.bold(profile)} ${changes.length === 0 ? "was protected already" : "is protected"}\n`;
}
