/**
 * Keeps the kernel ready to print its list of locks. A reading first makes every core leave its fast way of locking, which takes
 * a grace period, about 10 ms; the next one finds that done, until a grace period has passed without any. So a process that
 * will need the list at a moment it does not choose touches it meanwhile. What a touch reads is thrown away: it decides
 * nothing. Linux only. Source: fs/locks.c (locks_start), kernel/locking/percpu-rwsem.c, kernel/rcu/sync.c.
 */
import { close, openSync, read } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

/** Well below a grace period: readings up to 10 ms apart were found to stay quick, from 15 ms on some did not. */
const TOUCH_EVERY_MS = 4;

/** One process's touches of the list. Does nothing where the host has no list. */
export class LockListReadiness implements Disposable {
  #list: Promise<FileHandle | undefined> | undefined;
  #isTouching = false;
  #touchedAt = -Infinity;

  /** Touches the list unless that was done a moment ago; returns at once, and the kernel does its part in the background. */
  touch(): void {
    if (this.#isTouching || performance.now() - this.#touchedAt < TOUCH_EVERY_MS) return;
    this.#isTouching = true;
    void this.#read();
  }

  /** Ends the touches, in the background too. */
  [Symbol.dispose](): void {
    void this.#list?.then((list) => list?.close()).catch(() => undefined);
  }

  async #read(): Promise<void> {
    this.#list ??= open("/proc/locks").catch(() => undefined);
    const list = await this.#list;
    // One byte: the kernel gets ready as for the whole list, and prints one line.
    await list?.read(Buffer.allocUnsafe(1), 0, 1, 0).catch(() => undefined);
    this.#touchedAt = performance.now();
    this.#isTouching = false;
  }
}

/** As one touch, for a process that will read the list within some 10 ms and is busy until then; returns at once. */
export function readyLockList(): void {
  try {
    const list = openSync("/proc/locks", "r");
    read(list, Buffer.allocUnsafe(1), 0, 1, 0, () => close(list));
  } catch {
    // Here is no such list, or no descriptor left: nothing depends on it.
  }
}
