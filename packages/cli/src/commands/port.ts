/** `port`: prints a profile's port, or that of one of its labels, as one line for scripts. */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean } from "@lockkeeper/core/internal";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { chooseTarget } from "../targets.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["port"]>;

interface Port {
  readonly name: string;
  readonly label: string;
  readonly port: number;
}

/** The name that every profile gives to its main port. */
const MAIN_PORT = "gateway";

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const { ports } = await profiles.find(name);
  const label = given.label ?? MAIN_PORT;
  const port = Object.hasOwn(ports, label) ? ports[label] : undefined;
  if (port === undefined) {
    throw new LockkeeperError("OPTION_INVALID", `${name} has no port called ${label}`, {
      hint: didYouMean(label, Object.keys(ports)) ?? `It has: ${Object.keys(ports).join(", ")}`,
    });
  }
  const value: Port = { name, label, port };
  return { value };
}

export function render({ port }: Port): string {
  return `${port}\n`;
}
