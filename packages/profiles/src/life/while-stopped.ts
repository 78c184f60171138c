/**
 * Keeps a profile stopped: while the action runs, no keeper and no gateway can own it, because its lock is taken. A gateway
 * that has closed the lock, or a keeper that lost it, still counts: the run record names it.
 */
import { GatewayLockError, LockkeeperError } from "@lockkeeper/core";
import { whileUnowned } from "@lockkeeper/core/internal";
import { isAdopted } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import { isHeldByCommand } from "../status/evidence.ts";
import { findStateOwner } from "../status/external-gateway.ts";
import { observeUnderLock } from "../status/leftover.ts";
import { observeManifest } from "../status/observe-profile.ts";

/** A reader, or a sweep of a leftover, holds the lock for milliseconds. */
const LOOKERS_MS = 500;

/** What a verb that needs a stopped profile does, and says of one that runs. */
export interface StillOptions {
  /** Where the directory of locks is after the action, when the action moves it. */
  readonly lockMovesTo?: string | undefined;
  /** What helps when it runs here. @default to stop it */
  readonly hint?: string | undefined;
}

/**
 * Runs `action` while the profile is stopped and cannot start.
 *
 * @throws {LockkeeperError} PROFILE_RUNNING naming the process, whoever owns it; and the errors of `action`.
 */
export async function whileStopped<T>(
  home: string,
  manifest: Manifest,
  action: () => Promise<T>,
  { lockMovesTo, hint }: StillOptions = {},
): Promise<T> {
  const enter = (): Promise<T> => {
    const { owner, keeper, gateway } = observeUnderLock(home, manifest);
    if (owner === "here") throw running(manifest.name, (gateway ?? keeper)?.pid, { hint });
    // Our lock keeps out only our own keepers.
    if (!isAdopted(manifest)) refuseStateOwner(manifest);
    return action();
  };
  try {
    return await whileUnowned(lockPlace(manifest.paths), enter, { timeoutMs: LOOKERS_MS, lockDirMovesTo: lockMovesTo });
  } catch (error) {
    if (!(error instanceof GatewayLockError) || error.code !== "LOCK_HELD") throw error;
    const { owner, reason } = observeManifest({ home, owner: "own" }, manifest).observed;
    if (owner === "unclear" && isHeldByCommand(manifest)) throw keptStill(manifest.name, error);
    // A pid of another container means another process here.
    if (owner !== "elsewhere") throw running(manifest.name, error.ownerPid ?? undefined, { hint, cause: error });
    throw new LockkeeperError("PROFILE_RUNNING", `${manifest.name} ${reason ?? "runs elsewhere"}`, {
      cause: error,
      hint: `Stop it there, as the user that started it: lockkeeper stop ${manifest.name}`,
    });
  }
}

/**
 * Returns when no process without one of our keepers has the state open: it would go on writing into a folder that moves or is
 * copied. The state of an adopted gateway does not move.
 *
 * @throws {LockkeeperError} PROFILE_RUNNING naming the process.
 */
export function refuseStateOwner(manifest: Manifest): void {
  const owner = findStateOwner(manifest);
  if (owner === undefined) return;
  throw new LockkeeperError(
    "PROFILE_RUNNING",
    `${manifest.name} is in use by pid ${owner.pid}, which none of our keepers runs`,
    {
      hint: `Stop it the way it was started; see how: lockkeeper status ${manifest.name}`,
    },
  );
}

function keptStill(name: string, cause: GatewayLockError): LockkeeperError {
  return new LockkeeperError("PROFILE_RUNNING", `${name} is being copied, moved or cleared by another command`, {
    cause,
    hint: `Look again when that command is over: lockkeeper status ${name}`,
  });
}

/** Returns the error of a verb that needs a stopped profile. */
export function running(
  name: string,
  pid: number | undefined,
  { hint, cause }: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
): LockkeeperError {
  const process = pid === undefined ? "" : ` (pid ${pid})`;
  return new LockkeeperError("PROFILE_RUNNING", `${name} is running${process}`, {
    cause,
    hint: hint ?? `Stop it first: lockkeeper stop ${name}`,
  });
}
