/**
 * Limits how often one event may be reported, so that a flapping gateway floods nobody. Pure. Invariants: two messages of one
 * event are at least half a minute apart, and no hour has more than twelve of them.
 */

const DEFAULTS = {
  quietMs: 30_000,
  windowMs: 60 * 60_000,
  perWindow: 12,
};

/** Returns how long the next message of an event must wait, in milliseconds; 0: it may go now. */
export function waitBeforeTelling(toldMs: readonly number[], nowMs: number): number {
  const recent = toldMs.filter((time) => nowMs - time < DEFAULTS.windowMs);
  const last = recent.at(-1);
  if (last === undefined) return 0;
  const quiet = last + DEFAULTS.quietMs - nowMs;
  const first = recent[recent.length - DEFAULTS.perWindow];
  const room = first === undefined ? 0 : first + DEFAULTS.windowMs - nowMs;
  return Math.max(0, quiet, room);
}
