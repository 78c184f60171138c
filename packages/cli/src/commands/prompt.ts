/** `prompt`: the lines for a shell's start-up file that show the current profile in its prompt. */
import type { ShellName } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { promptLines } from "../shell-prompt.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["prompt"]>;

interface Prompt {
  readonly shell: string;
  readonly lines: string;
}

export function run(_: Context, { shell }: Arguments): Promise<Result> {
  // The description of the command lets no other shell through.
  const value: Prompt = { shell, lines: promptLines(shell as ShellName) };
  return Promise.resolve({ value });
}

export function render({ lines }: Prompt): string {
  return lines;
}
