/** `exec`: runs one command with the environment of one profile and of no other. */
import { LockkeeperError } from "@lockkeeper/core";
import { shellQuote } from "@lockkeeper/core/internal";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { resultInside } from "../run-inside.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["exec"]>;

export async function run(context: Context, { name, gatewayEnv, rest }: Arguments): Promise<Result> {
  const [program, ...more] = rest ?? [];
  if (program === undefined) {
    throw new LockkeeperError("USAGE", "exec: no command was given", {
      hint: `lockkeeper exec ${shellQuote(name)} -- env`,
    });
  }
  const profiles = await context.openProfiles();
  const child = gatewayEnv ? await profiles.gatewayEnvironment(name) : (await profiles.environment(name)).child;
  return resultInside(context, await profiles.clientArgv(name, [program, ...more]), child);
}

/** The command has written its own output. */
export function render(): string {
  return "";
}
