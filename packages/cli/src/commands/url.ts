/** `url`: prints the address of a profile's gateway, as one line for scripts. Never a token. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { chooseTarget } from "../targets.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["url"]>;

interface Address {
  readonly name: string;
  readonly url: string;
}

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const { url } = await profiles.find(name);
  const value: Address = { name, url };
  return { value };
}

export function render({ url }: Address): string {
  return `${url}\n`;
}
