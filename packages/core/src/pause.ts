/** Waiting, with an end. What comes after an abort is for the caller to say. Pure but for the clock; anybody may call it. */

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

/** Resolves when `signal` aborts. Stays pending when `until` aborts first, and then holds nothing. */
export function aborted(signal: AbortSignal, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, signal: until });
  });
}

/** How long to wait for the next look after `waitedMs` of looking: what is found is found at most a twentieth too late. */
export function nextLookMs(waitedMs: number, slowestMs: number): number {
  return Math.min(slowestMs, Math.max(5, waitedMs / 20));
}
