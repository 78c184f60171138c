/** Lists a directory: one function treats an unreadable directory as empty, the other reports it. */
import { errnoOf, fileError } from "@lockkeeper/core/internal";
import { readdirSync } from "node:fs";

/** Returns the names in `directory`, sorted; none when it cannot be read. */
export function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/**
 * Returns the names in `directory`, sorted; none when there is no such directory.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED when it cannot be read.
 */
export function requireEntries(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw fileError(error, "list", directory);
  }
}
