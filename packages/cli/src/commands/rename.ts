/** `rename`: gives a stopped profile another name. */
import type { RenameResult } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["rename"]>;

export async function run(context: Context, { old, new: wanted, confirm }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  await chooseTargets(context, profiles, { names: [old], confirm });
  const result = await profiles.rename(old, wanted);
  return { value: result, notes: result.notes.map(plainLine) };
}

export function render({ status }: RenameResult, { paint, quiet }: View): string {
  return quiet ? `${status.name}\n` : `renamed to ${paint.bold(status.name)}, ${status.url} as before\n`;
}
