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
  if (explain) notes.push(...explainSelection(selection, profiles.home));
  else if (none && !short) notes.push(`No default profile in ${profiles.home}. Set one with: lockkeeper use <name>`);
  return { value: selection, status: none && !short ? 1 : 0, notes };
}

export function render({ name }: Selection, { paint }: View): string {
  return name === null ? "" : `${paint.bold(plainLine(name))}\n`;
}

/** Every place that was looked at, strongest first, and the one that won. */
function explainSelection({ source: winner, candidates }: Selection, home: string): readonly string[] {
  const places = {
    argument: "--profile",
    environment: "LOCKKEEPER_PROFILE",
    default: `default of ${plainLine(home)}`,
  } as const;
  return candidates.map(({ source, name }) => {
    const value = name === null ? "not set" : plainLine(name);
    return `${source === winner ? ">" : " "} ${places[source]}: ${value}`;
  });
}
