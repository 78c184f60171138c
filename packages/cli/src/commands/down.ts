/** `down`: stops profiles and keeps everything; protected ones are left running unless they were confirmed. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { stopEach } from "../each-profile.ts";

export { renderOutcomes as render } from "../each-profile.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["down"]>;

export function run(context: Context, given: Arguments): Promise<Result> {
  return stopEach(context, given);
}
