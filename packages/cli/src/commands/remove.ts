/** `remove`: moves a stopped profile to the trash, after a second look. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import { requireYes } from "../consent.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["remove"]>;

interface Removed {
  readonly name: string;
  readonly trash: string;
}

export async function run(context: Context, { name, yes, confirm }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  // An unknown name is told as such before anybody is asked to confirm it.
  await profiles.find(name);
  await chooseTargets(context, profiles, { names: [name], confirm });
  if (!yes && !confirm.includes(name)) {
    await requireYes(context.world, `Remove ${name} and free its ports?`, {
      message: `${name} was not removed: nobody said yes`,
      hint: `If you mean it: lockkeeper remove ${name} --yes`,
    });
  }
  const { trash } = await profiles.remove(name);
  const removed: Removed = { name, trash };
  return { value: removed };
}

export function render({ name, trash }: Removed, { quiet }: View): string {
  return quiet
    ? `${name}\n`
    : `${name} removed; its folder is kept in ${plainLine(trash)}; lockkeeper restore ${name}\n`;
}
