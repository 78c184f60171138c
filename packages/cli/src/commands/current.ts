/** `current`: prints the profile of commands without a name. Starts nothing and inspects no process. */
import type { Profiles, Selection } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["current"]>;

interface Shown extends Selection {
  /** `!` after the name of a protected profile, only for a prompt, because the look-up costs time. */
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

/** A damaged registry must not print an error into a prompt. */
async function protectionMark(profiles: Profiles, name: string | null): Promise<Shown["mark"]> {
  if (name === null) return "";
  try {
    return (await profiles.protection(name)) === "protected" ? "!" : "";
  } catch {
    return "";
  }
}

/** All sources, strongest first, and the one that won. */
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
