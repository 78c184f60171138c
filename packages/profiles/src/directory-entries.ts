/** What lies in a directory, for whoever takes one that is missing or hidden for an empty one. */
import { readdirSync } from "node:fs";

/** Returns the names in `directory`, sorted; none when it cannot be read. */
export function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
