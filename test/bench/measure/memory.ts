/** Memory and computing time of a living process. Linux: figures from /proc. */
import { readFileSync } from "node:fs";

/**
 * Returns the memory that only this process has, in KiB: what would be free if it ended. Source:
 * proc_pid_smaps_rollup(5).
 */
export function privateKiB(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce((sum, [, kib]) => sum + Number(kib), 0);
}

/** Returns user and system time so far, in milliseconds; the kernel counts in steps of ten. Source: proc_pid_stat(5). */
export function computingMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
