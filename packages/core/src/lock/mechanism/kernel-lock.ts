/**
 * The only file that knows the operating system's lock primitive: an exclusive lock on an open file description. The kernel
 * releases it when the last descriptor is closed, however the processes ended. Linux: OFD lock. macOS: flock. Windows:
 * LockFileEx (both untested). The addon is loaded on first use, straight from its prebuilt file: its own loader costs 8-10 ms,
 * this 0.15 ms; that is why the version is pinned.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { errnoOf } from "../../errors.ts";

/** The used part of the addon's binding. Source: fs-native-extensions 1.5.1, binding.c and index.js. */
interface Binding {
  /** Returns when we have the lock; throws EAGAIN when another process has it. */
  tryLock(fd: number, offset: number, length: number, exclusive: boolean): void;
}

/** On Windows a lock is mandatory: one byte far beyond the record keeps the record readable. Elsewhere: the whole file. */
const RANGE = process.platform === "win32" ? { offset: 2 ** 40, length: 1 } : { offset: 0, length: 0 };

const REFUSED: ReadonlySet<string | undefined> = new Set(["EAGAIN", "EWOULDBLOCK", "EACCES"]);

/** Errors of a file system or a kernel without such locks. */
const UNAVAILABLE: ReadonlySet<string | undefined> = new Set(["ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"]);

let loaded: Binding | KernelLockUnavailable | undefined;

/** The kernel lock is not available here: the addon does not load, or this file system has no locks. */
export class KernelLockUnavailable extends Error {
  override readonly name: string = "KernelLockUnavailable";
}

/**
 * Takes a shared lock on the one byte at `offset`, which may lie beyond the end: it excludes nobody and is only a mark that
 * the kernel's list of locks shows as long as we live. Unlike an exclusive lock, it also works on a directory.
 *
 * @throws {KernelLockUnavailable} when there is no such lock.
 */
export function markByKernelLock(fd: number, offset: number): void {
  if (attempt(fd, offset, 1, false) === "refused")
    throw new KernelLockUnavailable(`byte ${offset} is locked exclusively`);
}

/**
 * Tries to lock the whole file exclusively, without waiting. The lock lives as long as any descriptor of this open file
 * description, in whatever process.
 *
 * @throws {KernelLockUnavailable} when there is no such lock.
 */
export function tryKernelLock(fd: number): "granted" | "refused" {
  return attempt(fd, RANGE.offset, RANGE.length, true);
}

function attempt(fd: number, offset: number, length: number, exclusive: boolean): "granted" | "refused" {
  loaded ??= load();
  if (loaded instanceof KernelLockUnavailable) throw loaded;
  try {
    loaded.tryLock(fd, offset, length, exclusive);
    return "granted";
  } catch (error) {
    const errno = errnoOf(error);
    if (REFUSED.has(errno)) return "refused";
    if (!UNAVAILABLE.has(errno)) throw error;
    throw new KernelLockUnavailable(`the file system has no kernel locks (${errno})`, { cause: error });
  }
}

function load(): Binding | KernelLockUnavailable {
  try {
    const home = dirname(createRequire(import.meta.url).resolve("fs-native-extensions/package.json"));
    const target = `${process.platform}-${process.arch}`;
    const addon: { exports: Partial<Binding> } = { exports: {} };
    process.dlopen(addon, join(home, "prebuilds", target, "fs-native-extensions.node"));
    const { tryLock } = addon.exports;
    if (typeof tryLock !== "function") return new KernelLockUnavailable("the lock addon has no tryLock");
    return { tryLock };
  } catch (error) {
    return new KernelLockUnavailable(
      `the lock addon does not load (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    );
  }
}
