/** `remove`: moves stopped profiles to the trash, after a second look. */
import { shellCommand } from "@lockkeeper/core/internal";
import { isPattern } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Failure, Result } from "../command-module.ts";
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

export async function run(context: Context, { names: words, yes, confirm }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const { names } = await chooseTargets(context, profiles, { names: words, confirm });
  // An unknown name gets its own error before anything is asked or done.
  for (const name of names) await profiles.find(name);
  if (!yes && names.some((name) => !confirm.includes(name))) {
    const all = names.join(", ");
    await requireYes(context.world, `Remove ${all} and free the ports?`, {
      message: `not removed: ${all}`,
      hint: `If you mean it: ${shellCommand("lockkeeper", "remove", ...names, "--yes")}`,
    });
  }
  const removed: Removed[] = [];
  const failures: Failure[] = [];
  for (const name of names) {
    try {
      removed.push({ name, trash: (await profiles.remove(name)).trash });
    } catch (error) {
      failures.push({ name: names.length > 1 ? name : null, error });
    }
  }
  // A single plain name is answered with a single document.
  const isOne = words.length === 1 && !words.some(isPattern);
  return { value: isOne ? removed[0] : removed, shown: removed, failures };
}

export function render(removed: readonly Removed[], { quiet }: View): string {
  return removed
    .map(({ name, trash }) =>
      quiet
        ? `${name}\n`
        : `${name} removed; its folder is in ${plainLine(trash)}. To undo: lockkeeper restore ${name}\n`,
    )
    .join("");
}
