/** What the next start of a profile lacks, as notes for a person. */
import type { PreflightFault, Profiles } from "@lockkeeper/profiles";
import { errorDocument } from "./error-text.ts";
import { plainLine } from "./terminal/plain-text.ts";

/** Returns a line for each thing that is missing; none when the profile could start now. `skip` was seen to already. */
export async function preflightNotes(
  profiles: Profiles,
  name: string,
  skip?: PreflightFault["about"],
): Promise<readonly string[]> {
  try {
    const faults = await profiles.preflight(name, { skip });
    return faults.map(({ message, hint }) => plainLine(`warning: ${message}${hint === null ? "" : ` (${hint})`}`));
  } catch (error) {
    // What was asked for is done by now; a look that fails must not tell otherwise.
    return [plainLine(`warning: what the next start needs could not be looked at: ${errorDocument(error).message}`)];
  }
}
