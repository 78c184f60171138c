/** `token`: a profile's access token. The only command that ever prints one. */
import path from "node:path";
import { LockkeeperError, readIfPresent } from "@lockkeeper/core";
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
  const { paths } = await profiles.status(name);
  const file = path.join(paths.profile, "token");
  const token = (await readIfPresent(file))?.trim() ?? "";
  if (token === "") {
    throw new LockkeeperError("IO_FAILED", `${name} has no token: ${file} is missing or empty`, {
      hint: "A profile of its own kind of gateway may keep its token elsewhere; look at its config.",
    });
  }
  const value: Token = { name, token };
  return { value };
}

export function render({ token }: Token): string {
  return `${token}\n`;
}
