/** Removes the lock files of dead owners. The kernel lock is taken first, so that no living owner's file is removed. */
import { LockkeeperError } from "../errors.ts";
import { lookAtKernelLocks } from "./kernel-look.ts";
import { judgeOwner } from "./lock-owner.ts";
import type { LockFiles, LockPlace } from "./lock-path.ts";
import { lockFilesFor } from "./lock-path.ts";
import { parseLockRecord } from "./lock-record.ts";
import { KernelLockUnavailable } from "./mechanism/kernel-lock.ts";
import { tryLockFile } from "./mechanism/locked-file.ts";
import { findRivalFiles } from "./rival-files.ts";

/** The result of a sweep. `held`: the lock has an owner, or may have one; its file was left alone. */
export type Sweep = "swept" | "nothing" | "held";

/**
 * Removes the lock files of a place when all their owners have ended.
 *
 * @throws {LockkeeperError} UNSAFE_PATH and file errors.
 */
export async function sweepGatewayLock(place: LockPlace): Promise<Sweep> {
  const files = lockFilesFor(place);
  const paths = new Set([files.path, files.earlierPath, ...findRivalFiles(place, files)]);
  const sweeps = [...paths].map((path) => sweepLockFile(path));
  return sweeps.find((sweep) => sweep === "held") ?? sweeps.find((sweep) => sweep === "swept") ?? "nothing";
}

/** Removes the lock file at `path` if its kernel lock is granted and no socket may hold it. */
export function sweepLockFile(path: string): Sweep {
  let file: ReturnType<typeof tryLockFile>;
  try {
    file = tryLockFile(path, { create: false });
  } catch (error) {
    // Where we cannot lock, the kernel may still know the owner.
    if (error instanceof KernelLockUnavailable) return isFree(path) ? "nothing" : "held";
    throw error;
  }
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

/**
 * Removes the files of dead rivals, and returns the file of a rival that lives.
 *
 * @throws {LockkeeperError} UNSAFE_PATH for what nobody can lock safely; file errors, when neither a lock nor the kernel's list
 * tells whether a rival lives.
 */
export function findRival(place: LockPlace, files: LockFiles): string | undefined {
  return findRivalFiles(place, files).find((path) => isHeld(path));
}

function isHeld(path: string): boolean {
  try {
    return sweepLockFile(path) === "held";
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    // It stays, as it is not safely ours, and an owner may have it all the same.
    const { verdict } = lookAtKernelLocks().askFile(path);
    if (verdict === "held") return true;
    if (verdict === "free" && error.code !== "UNSAFE_PATH") return false;
    throw error;
  }
}

function isFree(path: string): boolean {
  return lookAtKernelLocks().askFile(path).verdict === "free";
}
