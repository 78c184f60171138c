/**
 * When a gateway that was healthy once counts as unresponsive. Pure: observations go in, the judgement comes out.
 * Invariants: start-up is never judged here; one failure is no verdict; a keeper or host that slept has seen nothing.
 */

const DEFAULTS = {
  /** With the shortened interval after a failure: about ten seconds of silence. */
  failureLimit: 3,
  /** A look that comes later than this was held up by a suspended host or a stopped keeper. */
  lateMs: 5_000,
};

/** What is known of a gateway that was healthy once. */
export interface Liveness {
  readonly state: "running" | "unresponsive";
  /** Failures in a row. */
  readonly failures: number;
}

/** One look at it. */
export interface Observation {
  readonly health: "ok" | "failing" | "unknown";
  /** How much later than planned this look ended. */
  readonly lateMs: number;
}

/** What holds right after the first success. */
export const ALIVE: Liveness = { state: "running", failures: 0 };

/** Returns what is known after one more look. */
export function judgeLiveness(before: Liveness, seen: Observation): Liveness {
  if (seen.health === "ok") return ALIVE;
  if (seen.lateMs > DEFAULTS.lateMs) return { state: before.state, failures: 0 };
  if (seen.health === "unknown") return before;
  const failures = Math.min(before.failures + 1, DEFAULTS.failureLimit);
  return { state: failures === DEFAULTS.failureLimit ? "unresponsive" : before.state, failures };
}
