/**
 * The signals that our long-lived processes handle: the first one asks to stop, a later one to stop at once, and unrelated
 * signals are ignored. For programs, because it changes the present process.
 */

import { setMaxListeners } from "node:events";

/** The requests of the signals so far. */
export interface StopSignals {
  /** Aborts with the first signal. */
  readonly stop: AbortSignal;
  /** Aborts with the second one. */
  readonly force: AbortSignal;
  /** Returns the first signal; undefined when none has come. */
  readonly received: () => NodeJS.Signals | undefined;
}

/**
 * Signals that come this soon after the first are the same request: GNU `timeout` sends two, to its child and to the group,
 * and the signals of a terminal and a person may coincide.
 */
export const SAME_REQUEST_MS = 500;

/** Handles `signals`: from now on they do not end the process by themselves. `reason` makes the reason of both aborts. */
export function takeStopSignals(
  signals: readonly NodeJS.Signals[],
  reason?: (signal: NodeJS.Signals) => unknown,
): StopSignals {
  const stop = new AbortController();
  const force = new AbortController();
  // Each awaited profile adds a listener: that is not a leak, so there must be no warning.
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
 * Signals without a meaning here that would end a process by default, or open Node's debugger (SIGUSR1, through which every
 * user of the machine could run code as us). Source: signal(7); https://nodejs.org/api/process.html#signal-events: a listener
 * of one's own takes the place of Node's. Not included: signals of our own faults (SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV),
 * job control (SIGTSTP and the like), and real-time signals, which Node does not know.
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

/** On return signals without a meaning for a keeper have no effect on this process. */
export function ignoreStraySignals(): void {
  for (const signal of STRAY) {
    try {
      process.on(signal, () => undefined);
    } catch {
      // This system has no such signal.
    }
  }
}
