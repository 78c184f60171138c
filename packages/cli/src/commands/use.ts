/** `use`: sets the default profile for people. Touches no gateway; services never read it. */
import type { SelectionChange } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["use"]>;

export async function run(context: Context, { name }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const change = await profiles.use(name);
  const pinned = context.world.env["LOCKKEEPER_PROFILE"] ?? "";
  const notes = pinned === "" ? [] : [`LOCKKEEPER_PROFILE is set: in this shell ${pinned} still wins.`];
  return { value: change, notes };
}

export function render(change: SelectionChange, { paint, quiet }: View): string {
  if (quiet) return `${change.current}\n`;
  const before = change.previous === null || change.previous === change.current ? "" : ` (was ${change.previous})`;
  const loud = change.protected ? ` ${paint.red("PROTECTED: commands without a name now act on it")}` : "";
  return `default profile: ${paint.bold(change.current)}${before}${loud}\n`;
}
