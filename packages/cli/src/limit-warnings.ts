/** The limits of a profile that are not in force here, as notes for people. */
import { LockkeeperError } from "@lockkeeper/core";
import type { Profiles } from "@lockkeeper/profiles";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns a line for each limit of the profile that nothing on this host enforces; none when the profile cannot be looked at. */
export async function limitWarnings(profiles: Profiles, name: string): Promise<readonly string[]> {
  try {
    return (await profiles.limitNotes(name)).map((note) => plainLine(`warning: ${note}`));
  } catch (error) {
    // The command has its result by now, and a failed note must not replace it.
    if (error instanceof LockkeeperError) return [];
    throw error;
  }
}
