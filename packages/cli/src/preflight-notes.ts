/** What the next start of a profile lacks, as notes for a person. */
import type { Profiles } from "@lockkeeper/profiles";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns a line for each thing that is missing; none when the profile could start now. */
export async function preflightNotes(profiles: Profiles, name: string): Promise<readonly string[]> {
  const faults = await profiles.preflight(name);
  return faults.map(({ message, hint }) => plainLine(`warning: ${message}${hint === null ? "" : ` (${hint})`}`));
}
