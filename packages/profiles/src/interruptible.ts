/** Waits that a caller can end. Only the wait ends: a keeper or a gateway carries on with its request. */
import { interrupted, throwIfAborted as throwIfOver } from "@lockkeeper/core/internal";
import type { LockkeeperError } from "@lockkeeper/core";
import { setTimeout as delay } from "node:timers/promises";

/** @throws {LockkeeperError} ABORTED when `signal` aborts within `ms`. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw stopWaiting(error);
  });
}

/** Returns what `work` returns. @throws {LockkeeperError} ABORTED as soon as `signal` aborts. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const over = new AbortController();
  const abortion = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(stopWaiting(signal.reason));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([work, abortion]);
  } finally {
    over.abort();
  }
}

/** @throws {LockkeeperError} ABORTED when `signal` has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  throwIfOver(signal, HOW, HINT);
}

function stopWaiting(cause: unknown): LockkeeperError {
  return interrupted(HOW, cause, HINT);
}

const HOW = "while waiting";
const HINT = "What was begun may still finish in the background; look with: lockkeeper list";
