/**
 * One exclusive claim on one lock, by whichever mechanism is available: the kernel lock on the file, else (Linux) the abstract
 * socket that stands for it. The two do not see each other, so each side leaves a mark before it looks for the other's: the
 * kernel side locks, then reads the record; the socket side writes its record, then reads the kernel's list of locks. The
 * second one sees the first and withdraws. An unknown state (another host, another network namespace) counts as taken. For the
 * gateway lock and the mutex, which add waiting and messages.
 */
import { errnoOf, fileError } from "../../errors.ts";
import { ownNetworkNamespace } from "../../host/proc.ts";
import type { Claim, ComposeRecord } from "./claim.ts";
import { tryKernelClaim } from "./kernel-claim.ts";
import { KernelLockUnavailable } from "./kernel-lock.ts";
import type { LockFiles } from "../lock-path.ts";
import type { LockMechanism } from "../lock-record.ts";
import { leaveOwnerMark } from "./owner-mark.ts";
import { trySocketClaim, unsupported } from "./socket-claim.ts";

/** How to claim. */
export interface ClaimOptions {
  /** In order of preference. @default kernel, socket */
  readonly mechanisms?: readonly LockMechanism[] | undefined;
  /**
   * A file that `stays` is never deleted in normal operation; then no mark is needed, which saves milliseconds. @default
   * "comes and goes"
   */
  readonly file?: "comes and goes" | "stays" | undefined;
}

/** In order of preference. */
export const MECHANISMS: readonly LockMechanism[] = ["kernel", "socket"];

/**
 * Tries to claim `files`, without waiting. When it returns a claim, its record is in each file.
 *
 * @throws {GatewayLockError} LOCK_UNSUPPORTED when no mechanism is safe here.
 * @throws {LockkeeperError} UNSAFE_PATH and file errors.
 */
export async function tryClaim(
  files: LockFiles,
  compose: ComposeRecord,
  options: ClaimOptions = {},
): Promise<Claim | "refused"> {
  try {
    return await tryMechanisms(files, compose, options);
  } catch (error) {
    throw errnoOf(error) === undefined ? error : fileError(error, "take the lock", files.path);
  }
}

async function tryMechanisms(
  files: LockFiles,
  compose: ComposeRecord,
  { mechanisms = MECHANISMS, file = "comes and goes" }: ClaimOptions,
): Promise<Claim | "refused"> {
  const leaveMark = file === "stays" ? undefined : leaveOwnerMark;
  let cause: unknown;
  if (mechanisms.includes("kernel")) {
    try {
      return await tryKernelClaim(files, compose, leaveMark);
    } catch (error) {
      if (!(error instanceof KernelLockUnavailable)) throw error;
      cause = error;
    }
  }
  if (mechanisms.includes("socket") && process.platform === "linux" && ownNetworkNamespace() !== null) {
    return trySocketClaim(files, compose);
  }
  throw unsupported(files.path, cause);
}
