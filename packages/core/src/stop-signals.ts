/**
 * The signals that a long-lived process of ours answers: the first one asks it to stop, a later one to stop at once, and
 * those that have nothing to do with it do nothing. For programs; touches the process that it runs in.
 */

import { setMaxListeners } from "node:events";

/** What the signals have asked for so far. */
export interface StopSignals {
  /** Aborts with the first signal. */
  readonly stop: AbortSignal;
  /** Aborts with the second one. */
  readonly force: AbortSignal;
  /** Returns the first signal; undefined when none has come. */
  readonly received: () => NodeJS.Signals | undefined;
}

/**
 * Signals that come this soon after the first are the same request: GNU `timeout` sends two, to its child and to the
 * group, and a terminal's and a person's may meet. In milliseconds.
 */
export const SAME_REQUEST_MS = 500;

/** Takes over `signals`: from now on they end nothing by themselves. `reason` makes what the two abort with. */
export function takeStopSignals(
  signals: readonly NodeJS.Signals[],
  reason?: (signal: NodeJS.Signals) => unknown,
): StopSignals {
  const stop = new AbortController();
  const force = new AbortController();
  // Each of many profiles that are waited for listens: that is no leak, and nothing to warn of.
  setMaxListeners(0, stop.signal, force.signal);
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (first === undefined) {
        first = { signal, atMs: performance.now() };
        stop.abort(reason?.(signal));
      } else if (performance.now() - first.atMs >= SAME_REQUEST_MS) {
        force.abort(reason?.(signal));
      }
    });
  }
  return { stop: stop.signal, force: force.signal, received: () => first?.signal };
}

/**
 * What ends a process by default, or opens Node's debugger (SIGUSR1, through which every user of the machine could run
 * code as us), and means nothing here. Source: signal(7); https://nodejs.org/api/process.html#signal-events: a listener
 * of one's own takes the place of Node's. Left out: what a fault of our own raises (SIGABRT, SIGBUS, SIGFPE, SIGILL,
 * SIGSEGV), what stops a job (SIGTSTP and its like), and real-time signals, which Node does not know.
 */
const STRAY: readonly NodeJS.Signals[] = [
  "SIGUSR1",
  "SIGUSR2",
  "SIGQUIT",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT",
  "SIGSYS",
  "SIGTRAP",
  "SIGXCPU",
  "SIGXFSZ",
];

/** On return none of the signals that mean nothing to a keeper does anything to this process. */
export function ignoreStraySignals(): void {
  for (const signal of STRAY) {
    try {
      process.on(signal, () => undefined);
    } catch {
      // This system has no such signal.
    }
  }
}
