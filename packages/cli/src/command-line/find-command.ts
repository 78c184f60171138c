/** Finds a command by its name or an alias. Pure; both readers and the help use it. */
import type { CommandSpec } from "./command.ts";

/** Returns the command's own name, or undefined. */
export function findCommand(commands: Readonly<Record<string, CommandSpec>>, word: string): string | undefined {
  if (Object.hasOwn(commands, word)) return word;
  for (const name in commands) {
    if (commands[name]?.aliases?.includes(word) === true) return name;
  }
  return undefined;
}
