/**
 * How long a gateway that was healthy once has been silent, as far as that was really observed: time without checks (a
 * suspended host, a paused keeper) does not count. Pure: checks go in, the silence comes out.
 */
import type { Health } from "./run-record.ts";

const DEFAULTS = {
  /** A check that comes later than this was delayed; as in liveness.ts. */
  lateMs: 5_000,
};

/** One check of a gateway. */
export interface SilenceLook {
  readonly health: Health;
  /** Time since the previous check ended; for the first check, its own duration. */
  readonly sinceMs: number;
  /** How much later than planned it ended. */
  readonly lateMs: number;
}

/** Returns the silence in milliseconds after one more check; 0 when it answers. */
export function silenceAfter(beforeMs: number, { health, sinceMs, lateMs }: SilenceLook): number {
  if (health === "ok" || lateMs > DEFAULTS.lateMs) return 0;
  return health === "unknown" ? beforeMs : beforeMs + sinceMs;
}
