/**
 * The owner's second sign, for the case that its file is deleted or replaced: a shared kernel lock on the *directory*, at
 * an offset that stands for the file's name, seen by others in the kernel's list of locks. A newcomer that could lock the
 * file leaves its own mark first and then counts: two marks mean that an owner lives whose file has gone, and of two
 * newcomers in the same place both withdraw. Linux only; without the list the plain protocol and its watch remain.
 * Reading the list makes the kernel wait for all its cores: milliseconds, so it is not done where a record tells enough.
 */
import * as fs from "node:fs";
import { basename, dirname } from "node:path";

import type { KernelFile } from "../../host/kernel-locks.ts";
import { KernelLockTable, kernelFileOfOwnLock } from "../../host/kernel-locks.ts";
import { KernelLockUnavailable, markByKernelLock } from "./kernel-lock.ts";

/** Our mark; it stays until `remove` or the end of the process. */
export interface OwnerMark {
  /** Is ours the only one? `true` also where the host does not tell. */
  isAlone(): boolean;
  /** Does the directory that bears the mark still lie at its path? */
  isInPlace(): boolean;
  /** Harmless twice. */
  remove(): void;
}

/** Beyond every byte that a file could have, so that nothing else is ever locked there. */
const FIRST_OFFSET = 2 ** 44;

/** Where there is nothing to mark, or nothing to mark it with. */
export const NO_MARK: OwnerMark = { isAlone: () => true, isInPlace: () => true, remove: () => undefined };

/** Leaves our mark for the lock file `path`. */
export function leaveOwnerMark(path: string): OwnerMark {
  if (process.platform !== "linux") return NO_MARK;
  const directory = dirname(path);
  const offset = markOffsetOf(path);
  const fd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  let stats: fs.BigIntStats;
  try {
    markByKernelLock(fd, offset);
    stats = fs.fstatSync(fd, { bigint: true });
  } catch (error) {
    fs.closeSync(fd);
    if (error instanceof KernelLockUnavailable) return NO_MARK;
    throw error;
  }
  let isLeft = true;
  return {
    isAlone: () => countMarks(fd, stats, offset) <= 1,
    isInPlace: () => isSameFile(fs.lstatSync(directory, { bigint: true, throwIfNoEntry: false }), stats),
    remove() {
      if (isLeft) fs.closeSync(fd);
      isLeft = false;
    },
  };
}

/** Returns the byte of the directory that an owner of the lock file `path` marks. */
export function markOffsetOf(path: string): number {
  return FIRST_OFFSET + hashName(basename(path));
}

/** The directory that was marked last, and how the kernel's list names it: most processes mark one directory, again and again. */
let latest: { readonly stats: fs.BigIntStats; readonly file: KernelFile } | undefined;

/** How many marks, ours included, the kernel lists on that byte of the directory that our `fd` has open and marked. */
function countMarks(fd: number, stats: fs.BigIntStats, offset: number): number {
  const table = KernelLockTable.read();
  if (table === undefined) return 0;
  // Our own mark is in the list: a name under which it is not found is out of date.
  const known = latest !== undefined && isSameFile(latest.stats, stats) ? table.countMarks(latest.file, offset) : 0;
  if (known > 0) return known;
  const file = kernelFileOfOwnLock(fd);
  if (file === undefined) return 0;
  latest = { stats, file };
  return table.countMarks(file, offset);
}

function isSameFile(a: fs.BigIntStats | undefined, b: fs.BigIntStats): boolean {
  return a !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** FNV-1a, 32 bits: a clash of two names in one directory would make their owners exclude each other, no worse. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
