/** `current`: the profile that a command without a name acts on. It starts nothing and looks at no process. */
import type { Profiles, Selection } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["current"]>;

interface Shown extends Selection {
  /** `!` behind the name of a protected profile, for a prompt only: looking it up is not worth it elsewhere. */
  readonly mark: "" | "!";
}

export async function run(context: Context, { profile, explain, short }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const selection = await profiles.selection({ profile });
  const none = selection.name === null;
  const notes: string[] = [];
  if (explain) notes.push(...explainSelection(selection, profiles.home));
  else if (none && !short) notes.push(`No default profile in ${profiles.home}. Set one with: lockkeeper use NAME`);
  const value: Shown = { ...selection, mark: short ? await protectionMark(profiles, selection.name) : "" };
  return { value, status: none && !short ? 1 : 0, notes };
}

export function render({ name, mark }: Shown, { paint }: View): string {
  return name === null ? "" : `${paint.bold(plainLine(name) + mark)}\n`;
}

/** A damaged registry is no reason to print an error into a prompt. */
async function protectionMark(profiles: Profiles, name: string | null): Promise<Shown["mark"]> {
  if (name === null) return "";
  try {
    return (await profiles.protection(name)) === "protected" ? "!" : "";
  } catch {
    return "";
  }
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
