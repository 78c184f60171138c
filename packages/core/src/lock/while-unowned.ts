/**
 * Keeps a place without an owner while something is done to it. It is claimed as a mutex, not as an owner would, because an
 * owner puts its lock file back after its folder has moved away.
 */
import { rmSync } from "node:fs";
import { basename, join } from "node:path";

import { GatewayLockError, isForeseen, LockkeeperError } from "../errors.ts";
import type { FileMutexOptions } from "./file-mutex.ts";
import { withFileMutex } from "./file-mutex.ts";
import { inspectGatewayLock } from "./inspect.ts";
import type { LockPlace } from "./lock-path.ts";
import { ensureLockDirectory, lockFilesFor } from "./lock-path.ts";
import { findRival, sweepGatewayLock } from "./sweep.ts";

/** Options of {@link whileUnowned}. */
export interface WhileUnownedOptions extends FileMutexOptions {
  /** The place of the lock directory after `fn`, when `fn` moves it. */
  readonly lockDirMovesTo?: string | undefined;
}

/**
 * Runs `fn` while nobody owns the place, and returns its result. No lock file is left, wherever the directory is afterwards.
 *
 * @throws {GatewayLockError} LOCK_HELD when it has an owner; `fn` did not run.
 * @throws {LockkeeperError} UNSAFE_PATH and file errors; and the errors of `fn`.
 */
export async function whileUnowned<T>(
  place: LockPlace,
  fn: () => Promise<T>,
  { lockDirMovesTo, ...waiting }: WhileUnownedOptions = {},
): Promise<T> {
  ensureLockDirectory(place.lockDir);
  const { verdict, record, reason } = await inspectGatewayLock(place);
  const pid = record?.gateway?.pid ?? record?.pid;
  if (verdict === "held") throw heldError(place, reason, { ownerPid: pid });
  const files = lockFilesFor(place);
  let hasFile = false;
  let hasEntered = false;
  const enter = async (): Promise<T> => {
    hasEntered = true;
    const rival = findRival(place, files);
    if (rival !== undefined) throw heldError(place, `somebody holds ${rival}`);
    const result = await fn();
    // We may remove them only while we hold them.
    if (lockDirMovesTo !== undefined) {
      const moved = Object.values(files).map((path) => join(lockDirMovesTo, basename(path)));
      await quietly(() => moved.forEach((path) => rmSync(path, { force: true })));
    }
    return result;
  };
  const enterBoth = (): Promise<T> => {
    hasFile = true;
    return files.earlierPath === files.path ? enter() : withFileMutex(files.earlierPath, enter, waiting);
  };
  try {
    return await withFileMutex(files.path, enterBoth, waiting);
  } catch (error) {
    const isRefused = !hasEntered && error instanceof LockkeeperError && error.code === "MUTEX_TIMEOUT";
    throw isRefused ? heldError(place, error.message, { cause: error }) : error;
  } finally {
    if (hasFile) await quietly(() => sweepGatewayLock(place));
  }
}

/** The work is done, or was refused: a leftover lock file blocks nobody. */
async function quietly(tidy: () => unknown): Promise<void> {
  try {
    await tidy();
  } catch (error) {
    if (!isForeseen(error)) throw error;
  }
}

function heldError(
  { lockDir }: LockPlace,
  reason: string,
  details: { readonly ownerPid?: number | undefined; readonly cause?: unknown } = {},
): GatewayLockError {
  return new GatewayLockError("LOCK_HELD", `the lock in ${lockDir} is held: ${reason}`, {
    ...details,
    hint: "Stop its owner first.",
  });
}
