/**
 * Which processes hold the kernel's lock of a file: its list of locks does not tell, the descriptors of the processes do, as far
 * as we may see them. A file is known by device and inode, so one that was deleted, or that another container sees at another
 * path, is found as well. Linux only; nobody is found elsewhere. Each question walks over the descriptors of every process.
 */
import { lstatSync, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";

import { listProcessIds } from "./proc.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { identifyProcess } from "./process-identity.ts";

interface OpenFile {
  /** The last part of its path: cheap to compare, but no proof. */
  readonly name: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * Returns the other processes that hold a kernel lock on the very file that our `fd` has open, through a descriptor of
 * their own: they have inherited it, whatever else they shed. What lies at the file's path by now does not matter.
 */
export function findLockHeirs(fd: number): readonly ProcessIdentity[] {
  if (process.platform !== "linux") return [];
  const own = `/proc/self/fd/${fd}`;
  const { dev, ino } = statSync(own, { bigint: true });
  return findHolders({ name: nameOf(own), device: dev, inode: ino }).filter(({ pid }) => pid !== process.pid);
}

/** Returns the processes, perhaps this one too, that hold a kernel lock on the file or directory at `path`. */
export function findLockHolders(path: string): readonly ProcessIdentity[] {
  if (process.platform !== "linux") return [];
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? [] : findHolders({ name: basename(path), device: stats.dev, inode: stats.ino });
}

function findHolders(file: OpenFile): readonly ProcessIdentity[] {
  return listProcessIds()
    .filter((pid) => hasLocked(pid, file))
    .flatMap((pid) => identifyProcess(pid) ?? []);
}

function hasLocked(pid: number, file: OpenFile): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => isLockedThrough(`/proc/${pid}`, fd, file));
  } catch {
    // Gone, or hidden from us.
    return false;
  }
}

/** Source: proc_pid_fdinfo(5): a `lock:` line for each lock of the open file description. */
function isLockedThrough(directory: string, fd: string, file: OpenFile): boolean {
  try {
    const path = `${directory}/fd/${fd}`;
    if (nameOf(path) !== file.name) return false;
    const { dev, ino } = statSync(path, { bigint: true });
    if (dev !== file.device || ino !== file.inode) return false;
    return readFileSync(`${directory}/fdinfo/${fd}`, "latin1").includes("\nlock:");
  } catch {
    // It closed this descriptor meanwhile.
    return false;
  }
}

/** The name under which the descriptor was opened; the system marks a file that was deleted. */
function nameOf(link: string): string {
  return basename(readlinkSync(link)).replace(/ \(deleted\)$/u, "");
}
