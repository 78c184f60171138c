/** The limits of a profile that are not in force here, as notes for people. */
import type { Profiles } from "@lockkeeper/profiles";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns a line for each limit of the profile that nothing on this host enforces. */
export async function limitWarnings(profiles: Profiles, name: string): Promise<readonly string[]> {
  return (await profiles.limitNotes(name)).map((note) => plainLine(`warning: ${note}`));
}
