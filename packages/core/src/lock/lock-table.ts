/**
 * What the kernel tells about its locks without our taking one: the list in /proc/locks. It names a lock's inode and not
 * its owner, and it is Linux only. An inode number alone may, once in a while, be that of another disk's file: so the
 * answer `locked` may only ever be used to leave somebody alone.
 */
import { readFileSync } from "node:fs";

/** Does somebody on this machine, in whatever namespace, hold a kernel lock on that inode? Source: proc_locks(5). */
export function findKernelLock(inode: bigint): "locked" | "not-locked" | "unknown" {
  try {
    const suffix = `:${inode}`;
    const lines = readFileSync("/proc/locks", "latin1").split("\n");
    const isLocked = lines.some((line) => {
      const fields = line.trim().split(/\s+/);
      return fields[1] === "OFDLCK" && fields[5]?.endsWith(suffix) === true;
    });
    return isLocked ? "locked" : "not-locked";
  } catch {
    return "unknown";
  }
}
