/** `top`: shows a live view of all profiles; without a terminal, the list once. */
import type { ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { renderStatusTable } from "../status-table.ts";
import type { View } from "../terminal/view.ts";
import { runTop } from "../top/top-session.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["top"]>;

export async function run(context: Context, _given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const terminal = context.json || context.view.quiet ? undefined : context.world.terminal();
  if (terminal === undefined) {
    return { value: await profiles.list(), notes: ["top needs a terminal: this is the list, once."] };
  }
  const { stop } = context.world.interruption();
  await runTop(profiles, { terminal, taken: context.world.takenScreen(), paint: context.view.paint }, stop);
  return { value: undefined };
}

export function render(statuses: readonly ProfileStatus[], view: View): string {
  return renderStatusTable(statuses, view);
}
