/**
 * How much memory a tree of processes really takes: its proportional set size, which counts shared pages once. The kernel
 * walks the page tables for it, so it is read only where the cheaper resident size does not decide already. Where the host
 * does not say (another user's process, an old kernel), the resident size is used. Linux only; elsewhere nothing is known.
 */
import { readFileSync } from "node:fs";
import { valueIn } from "./proc.ts";
import type { ProcessUsage } from "./process-usage.ts";
import { readProcessUsage } from "./process-usage.ts";

/** The memory of one tree. */
export interface TreeMemory {
  readonly bytes: number;
  /** `resident`: shared pages are counted in each process, so this is an upper bound. */
  readonly measure: "proportional" | "resident";
}

/**
 * Returns the memory of the tree below each of `roots`; a root that does not live is absent.
 *
 * @param exactAbove for trees with no more resident bytes than this, the resident size is enough. @default 0
 */
export function readTreeMemory(roots: readonly number[], exactAbove: number = 0): ReadonlyMap<number, TreeMemory> {
  return new Map([...readProcessUsage(roots)].map(([root, usage]) => [root, memoryOf(usage, exactAbove)]));
}

/** Returns the memory of a tree whose usage was just read; as {@link readTreeMemory}. */
export function memoryOf({ processes, residentBytes }: ProcessUsage, exactAbove: number = 0): TreeMemory {
  if (residentBytes <= exactAbove) return { bytes: residentBytes, measure: "resident" };
  let bytes = 0;
  let measure: TreeMemory["measure"] = "proportional";
  for (const { pid, residentBytes: own } of processes) {
    // It has ended; its parent has not collected its status yet.
    if (own === 0) continue;
    const proportional = readProportionalBytes(pid);
    if (proportional === undefined) measure = "resident";
    bytes += proportional ?? own;
  }
  return { bytes, measure };
}

/** Undefined: it has ended, belongs to somebody else, or the kernel does not tell. Source: proc_pid_smaps(5). */
function readProportionalBytes(pid: number): number | undefined {
  try {
    const value = valueIn(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"), "Pss");
    return value?.endsWith(" kB") === true ? Number.parseInt(value, 10) * 1_024 : undefined;
  } catch {
    return undefined;
  }
}
