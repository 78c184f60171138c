/** Waits that a caller can end. Only the wait ends: a keeper or a gateway carries on with its request. */
import { interrupted, pause as rest, throwIfAborted as throwIfOver } from "@lockkeeper/core/internal";
import type { LockkeeperError } from "@lockkeeper/core";

/** @throws {LockkeeperError} ABORTED when `signal` aborts within `ms`. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await rest(ms, signal);
  if (signal?.aborted === true) throw stopWaiting(signal.reason);
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
