/**
 * Memory and processor time of running gateways, for a view that is open all day. Reading every process of the host takes
 * milliseconds, so a tree is read anew only when one of its known processes shows news, and now and then for new children.
 */
import { memoryOf, readProcessUsage, readUsageAgain } from "@lockkeeper/core/internal";
import type { ProcessUsage } from "@lockkeeper/core/internal";

/** What is shown of one tree. */
export interface UsageFigures {
  readonly memoryBytes: number;
  /** The share of one processor; null until there are two samples. */
  readonly cpuPercent: number | null;
}

interface Sample extends UsageFigures {
  readonly usage: ProcessUsage;
  /** When the figures were taken, in milliseconds; processor time counts from here. */
  readonly at: number;
}

/** Until a tree without news is read anew; a child that idles until then is not counted. */
const ANEW_MS = 30_000;

/** A smaller difference is no news: one tick of the kernel's clock in three seconds is a third of a percent. */
const NEWS = { cpuPercent: 1, memoryShare: 0.01 };

/** Remembers the last figures of each tree. */
export class UsageSampler {
  #samples: ReadonlyMap<number, Sample> = new Map();
  #pids = "";
  #readAnewAt = -Infinity;

  /** The last figures of the tree below `pid`; undefined when they are unknown. */
  of(pid: number): UsageFigures | undefined {
    return this.#samples.get(pid);
  }

  /** Looks at the trees below `pids` at the time `now`, in milliseconds. Returns whether there are new figures. */
  sample(pids: readonly number[], now: number): boolean {
    if (pids.join() === this.#pids && now - this.#readAnewAt < ANEW_MS && !this.#hasNews(now)) return false;
    const usages = readProcessUsage(pids);
    const had = this.#samples.size > 0;
    this.#samples = new Map([...usages].map(([pid, usage]) => [pid, sampled(usage, this.#samples.get(pid), now)]));
    this.#pids = pids.join();
    this.#readAnewAt = now;
    return had || usages.size > 0;
  }

  #hasNews(now: number): boolean {
    for (const sample of this.#samples.values()) {
      const usage = readUsageAgain(sample.usage);
      if (usage === undefined) return true;
      const memoryShare = Math.abs(usage.residentBytes / Math.max(1, sample.usage.residentBytes) - 1);
      if (memoryShare >= NEWS.memoryShare) return true;
      const cpuPercent = cpuBetween(sample, usage, now);
      if (sample.cpuPercent === null || Math.abs(cpuPercent - sample.cpuPercent) >= NEWS.cpuPercent) return true;
    }
    return false;
  }
}

function sampled(usage: ProcessUsage, before: Sample | undefined, now: number): Sample {
  const cpuPercent = before === undefined ? null : cpuBetween(before, usage, now);
  return { usage, at: now, memoryBytes: memoryOf(usage).bytes, cpuPercent };
}

/** The time of a child that has ended is lost, so the sum can be smaller than before. */
function cpuBetween(before: Sample, { cpuMs }: ProcessUsage, now: number): number {
  return (100 * Math.max(0, cpuMs - before.usage.cpuMs)) / Math.max(1, now - before.at);
}
