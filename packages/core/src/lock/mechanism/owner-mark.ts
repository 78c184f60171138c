/**
 * The owner's second mark, for the case that its file is deleted or replaced: a shared kernel lock on the *directory*, at an
 * offset that stands for the file's name, visible in the kernel's list of locks. A newcomer that could lock the file leaves
 * its own mark first and then counts the marks: two marks mean that an owner lives whose file has gone, and of two newcomers
 * at once both withdraw. Linux only; without the list the plain protocol and its watch remain. The first reading after a
 * while makes the kernel wait for all its cores for milliseconds; a waiter has that done beforehand (`readyLockList`).
 */
import * as fs from "node:fs";
import { basename, dirname } from "node:path";

import type { KernelFile } from "../../host/kernel-locks.ts";
import { KernelLockTable, kernelFileOfOwnLock } from "../../host/kernel-locks.ts";
import type { LockFiles } from "../lock-path.ts";
import { KernelLockUnavailable, markByKernelLock } from "./kernel-lock.ts";

/** Our mark; it stays until `remove` or the end of the process. */
export interface OwnerMark {
  /** Whether ours is the only one; also true where the host does not say. */
  isAlone(): boolean;
  /** Whether the marked directory is still at its path. */
  isInPlace(): boolean;
  /** Harmless twice. */
  remove(): void;
}

/** Beyond the last byte of any file, so that no other lock is ever there. */
export const FIRST_MARK: number = 2 ** 44;

/** Leaves our mark as an owner of `files`; undefined where marks are not possible. */
export function leaveOwnerMark({ path, earlierPath }: LockFiles): OwnerMark | undefined {
  if (process.platform !== "linux") return undefined;
  const directory = dirname(path);
  const fd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  let stats: fs.BigIntStats;
  let offset: number;
  try {
    stats = fs.fstatSync(fd, { bigint: true });
    offset = markOffsetOf(path, stats.dev);
    markByKernelLock(fd, offset);
    // For owners of release 0.1.0, which check only this byte.
    markByKernelLock(fd, earlierMarkOffsetOf(earlierPath));
  } catch (error) {
    fs.closeSync(fd);
    if (error instanceof KernelLockUnavailable) return undefined;
    throw error;
  }
  let isLeft = true;
  return {
    isAlone: () => isAlone(fd, stats, offset, earlierMarkOffsetOf(earlierPath)),
    isInPlace: () => isSameFile(fs.lstatSync(directory, { bigint: true, throwIfNoEntry: false }), stats),
    remove() {
      if (isLeft) fs.closeSync(fd);
      isLeft = false;
    },
  };
}

/**
 * Returns the byte of the directory that an owner of the lock file `path` marks. The byte depends on the device in `stat` too:
 * two subvolumes of one btrfs disk have equal inodes and one device in the kernel's list.
 */
export function markOffsetOf(path: string, device: bigint): number {
  return FIRST_MARK + hashName(`${basename(path)} ${device}`);
}

/** Returns the byte that an owner of release 0.1.0 marks for the lock file `path`. */
export function earlierMarkOffsetOf(path: string): number {
  return FIRST_MARK + hashName(basename(path));
}

/** The last marked directory and its name in the kernel's list, because most processes mark one directory again and again. */
let latest: { readonly stats: fs.BigIntStats; readonly file: KernelFile } | undefined;

/** Whether ours are the only marks in the kernel's list on the directory that our `fd` has open and marked, on both bytes. */
function isAlone(fd: number, stats: fs.BigIntStats, offset: number, earlierOffset: number): boolean {
  const table = KernelLockTable.read();
  if (table === undefined) return true;
  let file = latest !== undefined && isSameFile(latest.stats, stats) ? latest.file : undefined;
  // Our own mark must be in the list: a name without it is out of date.
  if (file === undefined || table.countMarks(file, offset) === 0) {
    file = kernelFileOfOwnLock(fd);
    if (file === undefined) return true;
    latest = { stats, file };
  }
  return table.countMarks(file, offset) <= 1 && table.countMarks(file, earlierOffset) <= 1;
}

function isSameFile(a: fs.BigIntStats | undefined, b: fs.BigIntStats): boolean {
  return a !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** FNV-1a, 32 bits: a clash of two names in one directory would only make their owners exclude each other. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
