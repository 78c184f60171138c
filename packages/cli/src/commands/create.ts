/** `create`: makes a profile. */
import type { ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { toProfileOptions } from "../profile-arguments.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["create"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const status = await profiles.create({
    name: given.name,
    kind: given.kind ?? (given.rest === undefined ? "builtin" : "command"),
    ...toProfileOptions(given, context.world.cwd),
  });
  return { value: status, notes: [`Start it with: lockkeeper start ${status.name}`] };
}

export function render(status: ProfileStatus, { paint, quiet }: View): string {
  if (quiet) return `${status.name}\n`;
  const block = `ports ${status.port}-${status.port + status.span - 1}`;
  return `${paint.bold(status.name)} created: ${status.kind}, ${block}, ${status.paths.profile}\n`;
}
