/** `stop`: stops profiles side by side; done when their processes are gone and their ports are free. */
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { stopEach } from "../each-profile.ts";

export { renderOutcomes as render } from "../each-profile.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["stop"]>;

export function run(context: Context, given: Arguments): Promise<Result> {
  return stopEach(context, given, { stopMyself: given.yesStopMyself });
}
