/** `env`: prints lines for a shell that make it act on a profile: config, state, port and workspace together. */
import { formatShellEnvironment } from "@lockkeeper/profiles";
import type { ShellEnvironment, ShellName } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTarget } from "../targets.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["env"]>;

interface ShellLines extends Pick<ShellEnvironment, "profile" | "protected" | "unset" | "set"> {
  readonly shell: ShellName;
}

/** For `eval`. */
export const exact = true;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  // The rest of the caller's environment may hold secrets and is not repeated.
  const { child: _, ...exported } = await profiles.environment(name);
  const lines = given.leave ? leaving(exported) : exported;
  const value: ShellLines = { ...lines, shell: given.shell ?? guessShell(context.world.env["SHELL"]) };
  return { value };
}

export function render({ shell, ...environment }: ShellLines): string {
  return formatShellEnvironment({ ...environment, child: {} }, shell);
}

/** Unsets the profile's variables, except for the home, which may be the caller's own choice. */
function leaving<T extends Pick<ShellEnvironment, "unset" | "set">>(exported: T): T {
  const names = [...exported.unset, ...Object.keys(exported.set)].filter((name) => name !== "LOCKKEEPER_HOME");
  return { ...exported, unset: names, set: {} };
}

function guessShell(shell: string | undefined): ShellName {
  return shell?.endsWith("/fish") === true ? "fish" : "bash";
}
