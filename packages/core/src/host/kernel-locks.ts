/**
 * What the kernel tells about its locks without our taking one: the list in /proc/locks. It spans all pid namespaces, names
 * a lock's inode and not its owner, and is Linux only. An inode number alone may, once in a while, be that of another
 * disk's file: so its answers may only ever be used to leave somebody alone. Source: proc_locks(5).
 */
import { readFileSync } from "node:fs";

/** Does somebody on this machine hold a kernel lock on that inode? */
export function findKernelLock(inode: bigint): "locked" | "not-locked" | "unknown" {
  const table = readTable();
  if (table === undefined) return "unknown";
  return new RegExp(`OFDLCK .* \\w+:\\w+:${inode} `).test(table) ? "locked" : "not-locked";
}

/** How many hold a lock on just that byte of that inode; undefined when the host does not tell. */
export function countKernelMarks(inode: bigint, offset: number): number | undefined {
  const table = readTable();
  return table === undefined ? undefined : table.split(`:${inode} ${offset} ${offset}\n`).length - 1;
}

function readTable(): string | undefined {
  try {
    return readFileSync("/proc/locks", "latin1");
  } catch {
    return undefined;
  }
}
