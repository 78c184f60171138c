/**
 * Where a clone grows before it counts. One at a time and home; what a killed one left is removed by whoever comes next,
 * since the kernel let its claim go.
 */
import { ensurePrivateDirectory, fileError, LockkeeperError, withFileMutex } from "@lockkeeper/core";
import { existsSync, rmSync } from "node:fs";
import { homePaths } from "../profile-paths.ts";

/** Another clone may take long: it is waited for a while, and then named. */
const WAIT_MS = 10_000;

/**
 * Runs `fill` with an empty staging folder that is nobody else's meanwhile and gone afterwards.
 *
 * @throws {LockkeeperError} MUTEX_TIMEOUT when another clone takes longer; and what `fill` throws.
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

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    throw fileError(error, "remove", folder);
  }
}

/** What stays is swept by the next change; whether the clone counts does not hang on it. */
function removeQuietly(folder: string): void {
  try {
    removeFolder(folder);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
  }
}

/** Removes what a killed clone left; does nothing while one is at work. Cheap when there is nothing. */
export async function sweepStaging(home: string): Promise<void> {
  const { staging, stagingLock } = homePaths(home);
  if (!existsSync(staging)) return;
  try {
    await withFileMutex(stagingLock, () => removeQuietly(staging), { timeoutMs: 0 });
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code !== "MUTEX_TIMEOUT") throw error;
  }
}
