/** The missing needs of a profile's next start, as notes for people. */
import type { PreflightFault, Profiles } from "@lockkeeper/profiles";
import { errorDocument } from "./error-text.ts";
import { limitWarnings } from "./limit-warnings.ts";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns a line for each missing need; none when the profile could start now. `skip`: checks that were done already. */
export async function preflightNotes(
  profiles: Profiles,
  name: string,
  skip?: readonly PreflightFault["about"][],
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
