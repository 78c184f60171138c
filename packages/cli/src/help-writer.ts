/** Makes every help text, for the build to store beside the bundle. */
import { COMMANDS } from "./command-line/commands.ts";
import { commandHelp, programHelp } from "./command-line/help-text.ts";

/** Returns the help of each command by name, that of the program under "". */
export function allHelp(): Readonly<Record<string, string>> {
  const texts: Record<string, string> = { "": programHelp(COMMANDS) };
  for (const [name, spec] of Object.entries(COMMANDS)) texts[name] = commandHelp(name, spec);
  return texts;
}
