/** `current`: the profile that a command without a name acts on. It starts nothing and looks at no process. */
import type { Selection } from "@lockkeeper/profiles";
import type { ArgumentsOf, Result } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["current"]>;

export async function run(context: Context, { profile, explain, short }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const selection = await profiles.selection({ profile });
  const none = selection.name === null;
  const notes: string[] = [];
  if (explain) notes.push(...explainSelection(selection, context, profiles.home));
  else if (none && !short) notes.push(`No default profile in ${profiles.home}. Set one with: lockkeeper use <name>`);
  return { value: selection, status: none && !short ? 1 : 0, notes };
}

export function render({ name }: Selection, { paint }: View): string {
  return name === null ? "" : `${paint.bold(plainLine(name))}\n`;
}

/** The places that are looked at, in their order, and the first that had something to say. */
function explainSelection({ source }: Selection, { world }: Context, home: string): readonly string[] {
  const variable = world.env["LOCKKEEPER_PROFILE"] ?? "";
  const won = (here: Selection["source"]): string => (here === source ? "  <- this one" : "");
  return [
    `--profile${won("argument")}`,
    `LOCKKEEPER_PROFILE: ${variable === "" ? "not set" : plainLine(variable)}${won("environment")}`,
    `default of ${plainLine(home)}${won("default")}`,
  ];
}
