/** Makes every help text, for the build to store beside the bundle. A test holds the stored ones equal to yargs's. */
import { COMMANDS } from "./command-line/commands.ts";
import { helpText } from "./command-line/yargs-reader.ts";

/** Returns the help of each command by name, that of the program under "". */
export async function allHelp(): Promise<Readonly<Record<string, string>>> {
  const texts: Record<string, string> = { "": await helpText(COMMANDS, undefined) };
  for (const name of Object.keys(COMMANDS)) texts[name] = await helpText(COMMANDS, name);
  return texts;
}
