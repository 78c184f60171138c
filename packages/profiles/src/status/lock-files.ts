/** The lock files of a profile, by name only: none is opened. */
import { readdirSync } from "node:fs";

/** Returns the names of the gateway's lock files in the directory of locks; none when it cannot be read. */
export function lockFilesIn(lockDir: string): readonly string[] {
  try {
    return readdirSync(lockDir).filter((name) => name.startsWith("gateway.") && name.endsWith(".lock"));
  } catch {
    return [];
  }
}

/** Returns whether the profile has an owner or a leftover lock file. */
export function hasLockFile(lockDir: string): boolean {
  return lockFilesIn(lockDir).length > 0;
}
