/**
 * Decides when a gateway that was healthy once counts as unresponsive. Pure: observations go in, the verdict comes out.
 * Invariants: start-up is never judged here; one failure is not enough; time asleep, of the keeper or the host, does not
 * count.
 */

const DEFAULTS = {
  /** With the shortened interval after a failure: about ten seconds of silence. */
  failureLimit: 3,
  /** A check that comes later than this was delayed by a suspended host or a paused keeper. */
  lateMs: 5_000,
};

/** What is known about a gateway that was healthy once. */
export interface Liveness {
  readonly state: "running" | "unresponsive";
  /** Failures in a row. */
  readonly failures: number;
}

/** One check. */
export interface Observation {
  readonly health: "ok" | "failing" | "unknown";
  /** How much later than planned this look ended. */
  readonly lateMs: number;
}

/** The state after the first success. */
export const ALIVE: Liveness = { state: "running", failures: 0 };

/** Returns the state after one more check. */
export function judgeLiveness(before: Liveness, seen: Observation): Liveness {
  if (seen.health === "ok") return ALIVE;
  if (seen.lateMs > DEFAULTS.lateMs) return { state: before.state, failures: 0 };
  if (seen.health === "unknown") return before;
  const failures = Math.min(before.failures + 1, DEFAULTS.failureLimit);
  return { state: failures === DEFAULTS.failureLimit ? "unresponsive" : before.state, failures };
}
