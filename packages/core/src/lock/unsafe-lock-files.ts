/** Looks at whatever has the name of a lock file, before a lock is taken: for checks that take none. */
import type { LockPlace } from "./lock-path.ts";
import { lockFilesFor } from "./lock-path.ts";
import { refuseUnsafeLockFile } from "./mechanism/locked-file.ts";
import { findRivalFiles } from "./rival-files.ts";

/**
 * Returns when an attempt to take the lock of the place would find nothing unsafe: neither under its own names nor under those
 * of others that count there. Changes nothing.
 *
 * @throws {LockkeeperError} UNSAFE_PATH and file errors.
 */
export function refuseUnsafeLockFiles(place: LockPlace): void {
  const files = lockFilesFor(place);
  for (const path of new Set([files.path, files.earlierPath, ...findRivalFiles(place, files)]))
    refuseUnsafeLockFile(path);
}
