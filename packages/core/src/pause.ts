/** Waits that end. The caller decides what follows an abort. */

/** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** Resolves when `signal` aborts. Stays pending when `until` aborts first, and then keeps no listener. */
export function aborted(signal: AbortSignal, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, signal: until });
  });
}

/** Returns the pause before the next check after `waitedMs` of waiting; it overshoots by at most 5 %. */
export function nextLookMs(waitedMs: number, slowestMs: number): number {
  return Math.min(slowestMs, Math.max(5, waitedMs / 20));
}
