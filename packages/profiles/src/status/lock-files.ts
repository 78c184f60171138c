/** The lock files of a profile, by name alone: none of them is opened. */
import { readdirSync } from "node:fs";

/** Returns the names of the gateway's lock files in the directory of locks; none when it cannot be read. */
export function lockFilesIn(lockDir: string): readonly string[] {
  try {
    return readdirSync(lockDir).filter((name) => name.startsWith("gateway.") && name.endsWith(".lock"));
  } catch {
    return [];
  }
}

/** Returns whether somebody owns the profile, or has left a lock file. */
export function hasLockFile(lockDir: string): boolean {
  return lockFilesIn(lockDir).length > 0;
}
