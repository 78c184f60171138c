/** The lock files of a profile, by name only: none is opened. */
import { errnoOf } from "@lockkeeper/core/internal";
import { readdirSync } from "node:fs";

/** Returns whether the profile has an owner or a leftover lock file; no when the directory of locks cannot be read. */
export function hasLockFile(lockDir: string): boolean {
  return seeLockFiles(lockDir) === "some";
}

/** Returns whether the directory of locks has lock files; `hidden` when it cannot be read. One that is not there has none. */
export function seeLockFiles(lockDir: string): "some" | "none" | "hidden" {
  try {
    return readdirSync(lockDir).some(isLockFile) ? "some" : "none";
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? "none" : "hidden";
  }
}

function isLockFile(name: string): boolean {
  return name.startsWith("gateway.") && name.endsWith(".lock");
}
