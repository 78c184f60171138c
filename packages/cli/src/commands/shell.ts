/** `shell`: runs the caller's own shell inside a profile. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { resultInside } from "../run-inside.ts";
import { promptedShell } from "../shell-prompt.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["shell"]>;

export async function run(context: Context, { name }: Arguments): Promise<Result> {
  const { world } = context;
  const profiles = await context.openProfiles();
  const environment = await profiles.environment(name);
  context.progress.update(name, `shell inside${environment.protected ? " (PROTECTED)" : ""}. Type exit to leave.`);
  const shell = world.env["SHELL"] || "/bin/sh";
  const { args, env } = promptedShell(shell, environment, environment.child);
  return resultInside(context, [shell, ...args], { ...environment.child, ...env });
}

/** The shell has written its own output. */
export function render(): string {
  return "";
}
