/** Waits for a condition. Tests never sleep a fixed time. */
import { setTimeout as delay } from "node:timers/promises";

/**
 * Returns once `isSo` answers true, asked every 20 ms.
 *
 * @throws when it is still false after `timeoutMs`.
 * @default 60000
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs: number = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so after ${timeoutMs} ms: ${what}`);
    await delay(20);
  }
}
