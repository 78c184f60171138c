/** Clears up what dead owners left. The kernel lock is taken first, so that no living owner's file is removed. */
import { judgeOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-path.ts";
import { lockPathFor } from "./lock-path.ts";
import { parseLockRecord } from "./lock-record.ts";
import { KernelLockUnavailable } from "./mechanism/kernel-lock.ts";
import { tryLockFile } from "./mechanism/locked-file.ts";

/**
 * Removes a lock file whose owners are all gone. `held`: somebody has it, or may have it; nothing was changed.
 *
 * @throws {LockkeeperError} UNSAFE_PATH and file errors.
 */
export async function sweepGatewayLock({ lockDir, configPath }: LockPlace): Promise<"swept" | "nothing" | "held"> {
  return sweepLockFile(lockPathFor(lockDir, configPath));
}

/** Removes the lock file at `path` if its kernel lock can be had and no socket may hold it. */
export function sweepLockFile(path: string): "swept" | "nothing" | "held" {
  const file = tryToLock(path);
  if (file === "absent") return "nothing";
  if (file === "refused") return "held";
  try {
    const { record } = parseLockRecord(file.read());
    if (record?.mechanism === "socket" && judgeOwner(record).verdict !== "gone") return "held";
    file.remove();
    return "swept";
  } finally {
    file.close();
  }
}

function tryToLock(path: string): ReturnType<typeof tryLockFile> {
  try {
    return tryLockFile(path, { create: false });
  } catch (error) {
    if (error instanceof KernelLockUnavailable) return "refused";
    throw error;
  }
}
