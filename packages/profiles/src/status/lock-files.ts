/** The lock files of a profile, by name only: none is opened. */
import { readdirSync } from "node:fs";

/** Returns whether the profile has an owner or a leftover lock file; no when the directory of locks cannot be read. */
export function hasLockFile(lockDir: string): boolean {
  try {
    return readdirSync(lockDir).some((name) => name.startsWith("gateway.") && name.endsWith(".lock"));
  } catch {
    return false;
  }
}
