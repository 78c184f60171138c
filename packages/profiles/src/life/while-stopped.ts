/**
 * Holds a profile still: while the action runs, no keeper and no gateway can own it, because its lock is taken. A gateway that has
 * let the lock go, or a keeper that lost it, still counts: the run record names them.
 */
import { GatewayLockError, LockkeeperError, whileUnowned } from "@lockkeeper/core";
import { type Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import { observeUnderLock } from "../status/leftover.ts";

/** Somebody who only looks, or sweeps a leftover, has the lock for milliseconds. */
const lookersMs = 500;

/**
 * Runs `action` while the profile is stopped and cannot start.
 *
 * @param lockMovesTo where the directory of locks is after the action, when the action moves it.
 * @throws {LockkeeperError} PROFILE_RUNNING naming the process; and what `action` throws.
 */
export async function whileStopped<T>(
  home: string,
  manifest: Manifest,
  action: () => Promise<T>,
  lockMovesTo?: string,
): Promise<T> {
  const enter = (): Promise<T> => {
    const { owner, keeper, gateway } = observeUnderLock(home, manifest);
    if (owner === "here") throw running(manifest.name, (gateway ?? keeper)?.pid);
    return action();
  };
  try {
    return await whileUnowned(lockPlace(manifest.paths), enter, { timeoutMs: lookersMs, lockDirMovesTo: lockMovesTo });
  } catch (error) {
    if (!(error instanceof GatewayLockError) || error.code !== "LOCK_HELD") throw error;
    throw running(manifest.name, error.ownerPid ?? undefined, error);
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
