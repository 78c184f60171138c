/** The missing needs of a profile's next start, as notes for people. */
import type { PreflightFault, Profiles } from "@lockkeeper/profiles";
import { errorDocument } from "./error-text.ts";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns a line for each missing need; none when the profile could start now. `skip`: checks that were done already. */
export async function preflightNotes(
  profiles: Profiles,
  name: string,
  skip?: PreflightFault["about"],
): Promise<readonly string[]> {
  try {
    const faults = await profiles.preflight(name, { skip });
    const missing = faults.map(({ message, hint }) => `warning: ${message}${hint === null ? "" : ` (${hint})`}`);
    return [...missing.map(plainLine), ...(await limitWarnings(profiles, name))];
  } catch (error) {
    // The request is done by now, and a failing check must not suggest otherwise.
    return [plainLine(`warning: what the next start needs could not be looked at: ${errorDocument(error).message}`)];
  }
}

/** Returns a line for each limit of the profile that nothing on this host enforces. */
export async function limitWarnings(profiles: Profiles, name: string): Promise<readonly string[]> {
  return (await profiles.limitNotes(name)).map((note) => plainLine(`warning: ${note}`));
}
