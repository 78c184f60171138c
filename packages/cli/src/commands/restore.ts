/** `restore`: brings the last removed profile of a name back from the trash. */
import type { ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["restore"]>;

export async function run(context: Context, { name, port }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const status = await profiles.restore(name, { port });
  return { value: status, notes: [`Start it with: lockkeeper start ${status.name}`] };
}

export function render(status: ProfileStatus, { paint, quiet }: View): string {
  if (quiet) return `${status.name}\n`;
  return `${paint.bold(status.name)} is back: ports ${status.port}-${status.port + status.span - 1}\n`;
}
