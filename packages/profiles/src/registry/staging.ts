/**
 * The folder where a clone is prepared before it counts. One clone at a time in each home. The kernel releases the claim of a
 * killed clone, and the next one removes its remains.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { ensurePrivateDirectory, withFileMutex } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import { homePaths } from "../profile-paths.ts";
import { removeFolder } from "./folder-move.ts";

/** Another clone may take long: we wait this long, then refuse and name it. */
const WAIT_MS = 10_000;

/**
 * Runs `fill` with an empty staging folder that is exclusive meanwhile and removed afterwards.
 *
 * @throws {LockkeeperError} MUTEX_TIMEOUT when another clone takes longer; and the errors of `fill`.
 */
export async function withStaging<T>(home: string, fill: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const { staging, stagingLock } = homePaths(home);
  return withFileMutex(
    stagingLock,
    async () => {
      removeFolder(staging);
      ensurePrivateDirectory(staging);
      try {
        return await fill();
      } finally {
        removeQuietly(staging);
      }
    },
    { timeoutMs: WAIT_MS, signal },
  );
}

/** The next change sweeps any remains; the clone counts regardless. */
function removeQuietly(folder: string): void {
  try {
    removeFolder(folder);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
  }
}

/** Removes the remains of a killed clone; does nothing while a clone is running. Cheap when there are none. */
export async function sweepStaging(home: string): Promise<void> {
  const { staging, stagingLock } = homePaths(home);
  if (!existsSync(staging)) return;
  try {
    await withFileMutex(stagingLock, () => removeQuietly(staging), { timeoutMs: 0 });
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code !== "MUTEX_TIMEOUT") throw error;
  }
}
