/**
 * The owner's second sign, for the case that its file is deleted or replaced: a shared kernel lock on the *directory*, at
 * an offset that stands for the file's name, seen by others in the kernel's list of locks. A newcomer that could lock the
 * file leaves its own mark first and then counts: two marks mean that an owner lives whose file has gone, and of two
 * newcomers in the same place both withdraw. Linux only; without the list the plain protocol and its watch remain.
 * Reading the list makes the kernel wait for all its cores: milliseconds, so it is not done where a record tells enough.
 */
import * as fs from "node:fs";
import { basename, dirname } from "node:path";

import { countKernelMarks } from "../../host/kernel-locks.ts";
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
  const offset = FIRST_OFFSET + hashName(basename(path));
  const fd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  let inode: bigint;
  try {
    markByKernelLock(fd, offset);
    inode = fs.fstatSync(fd, { bigint: true }).ino;
  } catch (error) {
    fs.closeSync(fd);
    if (error instanceof KernelLockUnavailable) return NO_MARK;
    throw error;
  }
  let isLeft = true;
  return {
    isAlone: () => (countKernelMarks(inode, offset) ?? 1) <= 1,
    isInPlace: () => fs.lstatSync(directory, { bigint: true, throwIfNoEntry: false })?.ino === inode,
    remove() {
      if (isLeft) fs.closeSync(fd);
      isLeft = false;
    },
  };
}

/** FNV-1a, 32 bits: a clash of two names in one directory would make their owners exclude each other, no worse. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
