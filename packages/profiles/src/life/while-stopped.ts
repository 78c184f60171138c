/**
 * Holds a profile still: while the action runs, no keeper and no gateway can own it, because its lock is taken. Claimed
 * as a mutex and not as an owner, since an owner would put its lock file back where a folder has just moved away.
 */
import {
  ensurePrivateDirectory,
  errnoOf,
  inspectGatewayLock,
  LockkeeperError,
  type LockPlace,
  lockPathFor,
  sweepGatewayLock,
  withFileMutex,
} from "@lockkeeper/core";
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import type { Manifest } from "../manifest.ts";

/** Somebody who only looks, or sweeps a leftover, has the lock for milliseconds. */
const lookersMs = 500;

/**
 * Runs `action` while the profile is stopped and cannot start.
 *
 * @param lockMovesTo where the directory of locks is after the action, when the action moves it.
 * @throws {LockkeeperError} PROFILE_RUNNING naming the process; and what `action` throws.
 */
export async function whileStopped<T>(manifest: Manifest, action: () => Promise<T>, lockMovesTo?: string): Promise<T> {
  const place = { lockDir: manifest.paths.lock, configPath: manifest.paths.config };
  ensurePrivateDirectory(place.lockDir);
  const { verdict, record } = await inspectGatewayLock(place);
  if (verdict === "held") throw running(manifest.name, record?.gateway?.pid ?? record?.pid);
  const lockFile = lockPathFor(place.lockDir, place.configPath);
  let entered = false;
  const enter = async (): Promise<T> => {
    entered = true;
    const result = await action();
    // Ours to remove only while we hold it.
    if (lockMovesTo !== undefined) removeQuietly(path.join(lockMovesTo, path.basename(lockFile)));
    return result;
  };
  try {
    return await withFileMutex(lockFile, enter, { timeoutMs: lookersMs });
  } catch (error) {
    const refused = !entered && error instanceof LockkeeperError && error.code === "MUTEX_TIMEOUT";
    throw refused ? running(manifest.name, undefined, error) : error;
  } finally {
    if (entered && existsSync(place.lockDir)) await sweepQuietly(place);
  }
}

/** What was done stays done: a lock file that is left over locks nobody out. */
function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

async function sweepQuietly(place: LockPlace): Promise<void> {
  try {
    await sweepGatewayLock(place);
  } catch (error) {
    if (!(error instanceof LockkeeperError) && errnoOf(error) === undefined) throw error;
  }
}

/** Returns the error for a verb that needs a stopped profile. */
export function running(name: string, pid: number | undefined, cause?: unknown): LockkeeperError {
  const process = pid === undefined ? "" : ` (pid ${pid})`;
  return new LockkeeperError("PROFILE_RUNNING", `${name} is running${process}`, {
    cause,
    hint: `Stop it first: lockkeeper stop ${name}`,
  });
}
