/**
 * Users that a user namespace does not map. The kernel shows all of them, root too, by one number, which therefore names nobody:
 * neither another user nor ourselves. Linux only. Source: user_namespaces(7), "Unmapped user and group IDs".
 */
import { readFileSync } from "node:fs";

/** Source: the kernel's default, DEFAULT_OVERFLOWUID. Where it was changed, such a user counts as any other. */
const OVERFLOW = 65_534;

/** Whether files of `uid` may belong to anybody outside of our user namespace. */
export function isUnmapped(uid: number | bigint): boolean {
  if (Number(uid) !== OVERFLOW || process.platform !== "linux") return false;
  isMapped ??= readIsMapped();
  return !isMapped;
}

/** A map is written once, before programs start in the namespace. */
let isMapped: boolean | undefined;

function readIsMapped(): boolean {
  try {
    const ranges = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
    return ranges.some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return OVERFLOW >= first && OVERFLOW < first + count;
    });
  } catch {
    // A kernel without user namespaces.
    return true;
  }
}
