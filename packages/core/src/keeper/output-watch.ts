/**
 * Tells when a gateway writes into its log: many say there that they are ready. Only for the time of a start, because the kernel
 * allows a user 128 watchers of files by default. Where there is none left, the clock alone decides.
 */
import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";

import { pause } from "../pause.ts";

/** One log that is watched. */
export class OutputWatch {
  readonly #watcher: FSWatcher | undefined;
  #wake = new AbortController();

  constructor(path: string) {
    this.#watcher = open(path, () => this.#wake.abort());
  }

  /** Whether output is told. */
  get works(): boolean {
    return this.#watcher !== undefined;
  }

  /** Resolves after `longestMs`, with new output after `shortestMs`, and at once when `over` aborts. Says whether there was output. */
  async pause(shortestMs: number, longestMs: number, over: AbortSignal): Promise<boolean> {
    const startedAt = performance.now();
    await pause(longestMs, AbortSignal.any([over, this.#wake.signal]));
    const hasOutput = this.#wake.signal.aborted;
    if (hasOutput) this.#wake = new AbortController();
    const restMs = shortestMs - (performance.now() - startedAt);
    if (restMs > 0) await pause(restMs, over);
    return hasOutput;
  }

  /** Harmless twice. */
  close(): void {
    this.#watcher?.close();
  }
}

function open(path: string, onOutput: () => void): FSWatcher | undefined {
  try {
    // The kernel may refuse to go on, for example when the file is removed.
    return watch(path, { persistent: false }, onOutput).on("error", onOutput);
  } catch {
    return undefined;
  }
}
