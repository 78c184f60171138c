/**
 * Has the kernel get ready to print its list of locks. A reading first makes every core leave its fast way of locking, which takes
 * a grace period, about 10 ms; the next one finds that done, until a grace period has passed without any. Linux only. Source:
 * fs/locks.c (locks_start), kernel/locking/percpu-rwsem.c, kernel/rcu/sync.c.
 */
import { close, openSync, read } from "node:fs";

/** Well below a grace period: readings up to 10 ms apart were found to stay quick, from 15 ms on some did not. */
const KEEPS_READY_MS = 4;

let isReading = false;
let readAt = -Infinity;

/**
 * For a process that will soon need the list, at a moment that it may not choose; returns at once, and the kernel does its part in
 * the background. To keep the kernel ready, call it again and again: most calls do nothing. What it reads is thrown away and
 * decides nothing, and nothing depends on it.
 */
export function readyLockList(): void {
  if (isReading || performance.now() - readAt < KEEPS_READY_MS) return;
  try {
    const list = openSync("/proc/locks", "r");
    isReading = true;
    // One byte: the kernel gets ready as for the whole list, and prints one line.
    read(list, Buffer.allocUnsafe(1), 0, 1, 0, () => {
      isReading = false;
      readAt = performance.now();
      close(list);
    });
  } catch {
    // Here is no such list, or no descriptor left.
  }
}
