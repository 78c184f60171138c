/** Waits that a caller can end: the waiting ends, what was asked of a keeper or a gateway goes on by itself. */
import { LockkeeperError } from "@lockkeeper/core";
import { setTimeout as delay } from "node:timers/promises";

/** @throws {LockkeeperError} ABORTED when `signal` aborts within `ms`. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw interrupted(error);
  });
}

/** Returns what `work` returns. @throws {LockkeeperError} ABORTED as soon as `signal` aborts. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = withRejection();
  const abort = (): void => reject(interrupted(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** @throws {LockkeeperError} ABORTED when `signal` has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted(signal.reason);
}

function withRejection(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_resolve, fail) => {
    reject = fail;
  });
  return { promise, reject };
}

function interrupted(cause: unknown): LockkeeperError {
  return new LockkeeperError("ABORTED", "interrupted while waiting", {
    cause,
    hint: "What was begun goes on by itself; lockkeeper status shows what becomes of it.",
  });
}
