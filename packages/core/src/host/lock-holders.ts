/**
 * Finds the processes that hold the kernel's lock of a file. The kernel's list does not name them; the descriptors of the
 * processes do, as far as they are visible. A file is known by device and inode, so a deleted file, or one that another
 * container sees at another path, is found too. Linux only; elsewhere no process is found. A call reads the descriptors of every
 * process that may be a holder.
 */
import { fstatSync, lstatSync, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import { listProcessIds, readProcStat } from "./proc.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { identifyProcess, ownIdentity } from "./process-identity.ts";

/** A file, as a descriptor shows it. */
export interface OpenFile {
  /** The last part of its path: cheap to compare, but no proof. */
  readonly name: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * Returns the other processes that hold a kernel lock on the file that our `fd` has open because they have inherited it from us.
 * It does not matter what is at the file's path by now. An heir is younger than we are, so the descriptors of older processes,
 * which are most of a host's, are not read.
 */
export function findLockHeirs(fd: number): readonly ProcessIdentity[] {
  if (process.platform !== "linux") return [];
  const own = `/proc/self/fd/${fd}`;
  const { dev, ino } = statSync(own, { bigint: true });
  const younger = listProcessIds().filter((pid) => pid !== process.pid && !isOlderThanWe(pid));
  return findHolders(younger, [{ name: nameOf(own), device: dev, inode: ino }]);
}

/** False also when that cannot be told. */
function isOlderThanWe(pid: number): boolean {
  const { startTicks } = ownIdentity();
  if (startTicks === null) return false;
  try {
    return readProcStat(pid).startTicks < startTicks;
  } catch {
    // It has ended, or is hidden from us.
    return false;
  }
}

/** Returns the processes, perhaps this one too, that hold a kernel lock on the file or directory at `path`. */
export function findLockHolders(path: string): readonly ProcessIdentity[] {
  if (process.platform !== "linux") return [];
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return [];
  return findHolders(listProcessIds(), [{ name: basename(path), device: stats.dev, inode: stats.ino }]);
}

/**
 * Returns everything that can be locked in a lock directory: its lock files, and the directory itself, which carries the mark
 * of an owner whose file was deleted.
 */
export function lockablesIn(lockDir: string): readonly OpenFile[] {
  try {
    const names = readdirSync(lockDir).filter((name) => name.endsWith(".lock"));
    return [lockDir, ...names.map((name) => join(lockDir, name))].flatMap((path) => {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? [] : { name: basename(path), device: stats.dev, inode: stats.ino };
    });
  } catch {
    return [];
  }
}

/** Says whether process `pid` holds a kernel lock on one of `files`. `hidden`: its descriptors are not visible to us. */
export function holdsOneOf(pid: number, files: readonly OpenFile[]): "yes" | "no" | "hidden" {
  if (files.length === 0) return "no";
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => isLockedThrough(`/proc/${pid}`, fd, files)) ? "yes" : "no";
  } catch {
    return "hidden";
  }
}

/**
 * Says whether the descriptor `fd` of process `pid` holds a kernel lock on the file that our own descriptor `ours` has open;
 * false also when that cannot be seen. It does not need the kernel's list of locks, which takes some 10 ms.
 */
export function isLockedBy(pid: number, fd: number, ours: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    const { dev, ino } = fstatSync(ours, { bigint: true });
    return holdsLock(`/proc/${pid}`, String(fd), [{ device: dev, inode: ino }]);
  } catch {
    // There is no such process or descriptor, or we may not look.
    return false;
  }
}

/** Returns `/proc` paths of the lock files through which process `pid` holds a kernel lock, wherever these files are by now. */
export function lockFilesHeldBy(pid: number): readonly string[] {
  if (process.platform !== "linux") return [];
  const directory = `/proc/${pid}`;
  try {
    return readdirSync(`${directory}/fd`).flatMap((fd) => {
      try {
        return nameOf(`${directory}/fd/${fd}`).endsWith(".lock") && isLocked(directory, fd)
          ? `${directory}/fd/${fd}`
          : [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function findHolders(among: readonly number[], files: readonly OpenFile[]): readonly ProcessIdentity[] {
  return among.filter((pid) => holdsOneOf(pid, files) === "yes").flatMap((pid) => identifyProcess(pid) ?? []);
}

function isLockedThrough(directory: string, fd: string, files: readonly OpenFile[]): boolean {
  try {
    const name = nameOf(`${directory}/fd/${fd}`);
    return files.some((file) => file.name === name) && holdsLock(directory, fd, files);
  } catch {
    // The process has closed this descriptor meanwhile.
    return false;
  }
}

function holdsLock(directory: string, fd: string, files: readonly Omit<OpenFile, "name">[]): boolean {
  const { dev, ino } = statSync(`${directory}/fd/${fd}`, { bigint: true });
  return files.some((file) => dev === file.device && ino === file.inode) && isLocked(directory, fd);
}

/** Source: proc_pid_fdinfo(5): a `lock:` line for each lock of the open file description. */
function isLocked(directory: string, fd: string): boolean {
  const info = readFileSync(`${directory}/fdinfo/${fd}`, "utf8");
  // Those that exclude ours; a lease or a lock by `flock` does not.
  return info.includes("\nlock:") && (info.includes(" OFDLCK ") || info.includes(" POSIX "));
}

/** The name under which the descriptor was opened; the system marks a file that was deleted. */
function nameOf(link: string): string {
  return basename(readlinkSync(link)).replace(/ \(deleted\)$/u, "");
}
