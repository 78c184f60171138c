/** `token`: prints a profile's access token. No other command prints one. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTarget } from "../targets.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["token"]>;

interface Token {
  readonly name: string;
  readonly token: string;
}

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const value: Token = { name, token: await profiles.token(name) };
  return { value };
}

export function render({ token }: Token): string {
  return `${token}\n`;
}
