/**
 * Measures a gateway's memory and decides whether it was too much for too long. Samples are rare, and rarer when one takes
 * long, so that they are no load; with a limit they are more frequent. Ends nothing itself.
 */
import type { TreeMemory } from "../host/process-memory.ts";
import { readTreeMemory } from "../host/process-memory.ts";
import { pause } from "../pause.ts";

const DEFAULTS = {
  /** Time until a new process has its own memory. */
  beginningMs: 50,
  /** With a limit: a leak takes hours, a burst of work minutes. */
  intervalMs: 15_000,
  /** Without a limit the figure is only kept for the history of a crash. */
  restingIntervalMs: 60_000,
  /** A peak is not a leak: this many samples in a row must be above the limit. */
  samples: 3,
  /** Samples use at most one part in this many of a processor. */
  share: 2_000,
};

/** What is watched. */
export interface MemoryLimit {
  readonly limitBytes?: number | undefined;
  /** Pause between two samples. @default 15_000 with a limit, else 60_000, and more where a look takes long */
  readonly intervalMs?: number | undefined;
}

/** The memory of one gateway after another. */
export class MemoryWatch {
  readonly #limit: MemoryLimit;
  #last: TreeMemory | undefined;

  constructor(limit: MemoryLimit) {
    this.#limit = limit;
  }

  /** The latest sample of the present gateway; undefined when there is none, or the host does not say. */
  get last(): TreeMemory | undefined {
    return this.#last;
  }

  /** Forgets the previous gateway. */
  reset(): void {
    this.#last = undefined;
  }

  /** Watches the tree below `pid` until `over` aborts or it stays above the limit; in that case returns the figures. */
  async watch(pid: number, over: AbortSignal): Promise<string | undefined> {
    const { limitBytes, intervalMs } = this.#limit;
    const usualMs = limitBytes === undefined ? DEFAULTS.restingIntervalMs : DEFAULTS.intervalMs;
    let above: readonly number[] = [];
    while (!over.aborted) {
      const lookedAt = performance.now();
      // Without a limit the cheaper figure is enough.
      const seen = readTreeMemory([pid], limitBytes ?? Infinity).get(pid);
      // A process that is just starting or has ended has no memory: that is not the gateway's figure.
      const isFigure = seen !== undefined && seen.bytes > 0;
      if (isFigure) this.#last = seen;
      above = samplesAbove(above, this.#last?.bytes, limitBytes);
      if (limitBytes !== undefined && above.length >= DEFAULTS.samples) return describe(above, limitBytes);
      const tookMs = performance.now() - lookedAt;
      const isBeginning = seen !== undefined && !isFigure && this.#last === undefined;
      const restMs = isBeginning ? DEFAULTS.beginningMs : Math.max(usualMs, DEFAULTS.share * tookMs);
      await pause(intervalMs ?? restMs, over);
    }
    return undefined;
  }
}

/** Returns the samples in a row that are above the limit, after one more. Pure. */
export function samplesAbove(
  before: readonly number[],
  bytes: number | undefined,
  limitBytes: number | undefined,
): readonly number[] {
  return bytes === undefined || limitBytes === undefined || bytes <= limitBytes ? [] : [...before, bytes];
}

function describe(above: readonly number[], limitBytes: number): string {
  const figures = above.map(mebibytes).join(", ");
  return `memory stays above the limit of ${mebibytes(limitBytes)} MiB: ${figures} MiB in ${above.length} samples in a row`;
}

function mebibytes(sizeBytes: number): string {
  return (sizeBytes / 2 ** 20).toFixed(0);
}
