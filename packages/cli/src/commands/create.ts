/** `create`: makes a profile. What may follow an option here is taken apart; whether it may be is the facade's to say. */
import path from "node:path";
import { LockkeeperError } from "@lockkeeper/core";
import type { CreateOptions, ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["create"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const status = await profiles.create(toCreateOptions(given, context.world.cwd()));
  return { value: status, notes: [`Start it with: lockkeeper start ${status.name}`] };
}

export function render(status: ProfileStatus, { paint, quiet }: View): string {
  if (quiet) return `${status.name}\n`;
  const block = `ports ${status.port}-${status.port + status.span - 1}`;
  return `${paint.bold(status.name)} created: ${status.kind}, ${block}, ${status.paths.profile}\n`;
}

/**
 * Returns what the facade is asked for. Relative paths are taken from `cwd`. Pure.
 *
 * @throws {LockkeeperError} OPTION_INVALID, USAGE.
 */
export function toCreateOptions(given: Arguments, cwd: string): CreateOptions {
  const env: Record<string, string> = {};
  const passEnv: string[] = [];
  for (const variable of given.env) {
    const equals = variable.indexOf("=");
    if (equals === -1) passEnv.push(variable);
    else env[variable.slice(0, equals)] = variable.slice(equals + 1);
  }
  const extraPorts: Record<string, number> = {};
  for (const text of given.extraPort) {
    const [, name, offset] = /^([a-z][a-z0-9-]*)=\+(\d{1,5})$/i.exec(text) ?? [];
    if (name === undefined) {
      throw new LockkeeperError("OPTION_INVALID", `--extra-port takes name=+N, not ${JSON.stringify(text)}`, {
        hint: "For example: --extra-port metrics=+1",
      });
    }
    extraPorts[name] = Number(offset);
  }
  return {
    name: given.name,
    kind: given.kind ?? (given.rest === undefined ? "builtin" : "command"),
    protected: given.protected,
    env,
    passEnv,
    extraPorts,
    ...(given.rest !== undefined && { argv: [...given.rest] }),
    ...(given.port !== undefined && { port: given.port }),
    ...(given.span !== undefined && { span: given.span }),
    ...(given.host !== undefined && { host: given.host }),
    ...(given.cwd !== undefined && { cwd: path.resolve(cwd, given.cwd) }),
    ...(given.envFile !== undefined && { envFile: path.resolve(cwd, given.envFile) }),
    ...(given.health !== undefined && { health: given.health }),
  };
}
