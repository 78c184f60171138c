/**
 * A short mutual exclusion between processes: the same claim as the gateway lock, on a file that stays. The kernel releases it
 * when its holder dies, so it is never judged by age and never has to be deleted. For changes of shared files that take
 * milliseconds; not re-entrant.
 */
import { LockkeeperError, throwIfAborted } from "../errors.ts";
import { pause } from "../pause.ts";
import type { Claim } from "./mechanism/claim.ts";
import { tryClaim } from "./mechanism/try-claim.ts";
import { readLockRecord } from "./read-lock-record.ts";
import { describeSelf, judgeOwner } from "./lock-owner.ts";
import { formatLockRecord } from "./lock-record.ts";

const DEFAULTS = {
  timeoutMs: 10_000,
  /** The first pause before another try. Each further pause is half as long again, up to the longest. */
  pauseMs: 2,
  /** A hundred waiters that tried every 2 ms used up both processors and slowed the holder down. */
  longestPauseMs: 60,
};

/** How long to wait for the mutex. */
export interface FileMutexOptions {
  /** @default 10_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `fn` while no other process runs one under the same path, and returns what it returned. The file's directory must
 * exist.
 *
 * @throws {LockkeeperError} MUTEX_TIMEOUT naming path and holder when it is not free within `timeoutMs`; `fn` did not run.
 * @throws {LockkeeperError} ABORTED when `signal` aborts first; UNSAFE_PATH and file errors.
 * @throws {GatewayLockError} LOCK_UNSUPPORTED when the host offers no safe lock.
 */
export async function withFileMutex<T>(
  path: string,
  fn: () => T | Promise<T>,
  options: FileMutexOptions = {},
): Promise<T> {
  const claim = await claimInTime(path, options.timeoutMs ?? DEFAULTS.timeoutMs, options.signal);
  try {
    return await fn();
  } finally {
    await claim.release("keep");
  }
}

async function claimInTime(path: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Claim> {
  let deadline: number | undefined;
  const describe = describeSelf({ configPath: path });
  const files = { path, earlierPath: path };
  let pauseMs = DEFAULTS.pauseMs;
  for (;;) {
    throwIfAborted(signal, `while waiting for ${path}`);
    const claim = await tryClaim(files, (mechanism) => formatLockRecord(describe(mechanism)), { file: "stays" });
    if (claim !== "refused") return claim;
    // Mostly it is granted at once, and then Node need not load its clocks.
    const now = performance.now();
    deadline ??= now + timeoutMs;
    if (now >= deadline) throw timeoutError(path, timeoutMs);
    // Jitter, so that processes refused together do not stay in step.
    await pause(pauseMs * (0.5 + Math.random()), signal);
    pauseMs = Math.min(pauseMs * 1.5, DEFAULTS.longestPauseMs);
  }
}

function timeoutError(path: string, timeoutMs: number): LockkeeperError {
  const { record } = readLockRecord(path);
  const owner = record === null ? undefined : judgeOwner(record);
  const holder = owner?.verdict === "alive" ? `pid ${owner.pid}` : "a process that cannot be named";
  return new LockkeeperError("MUTEX_TIMEOUT", `${path} is still held by ${holder} after ${timeoutMs} ms`, {
    hint: "Wait for the command that holds it, or stop that command; the file itself must stay.",
  });
}
