/**
 * How long a gateway that was healthy once has been silent, as far as that was really observed: time in which nobody could
 * look (a suspended host, a paused keeper) is held against nobody. Pure: looks go in, the silence comes out.
 */
import type { Health } from "./run-record.ts";

const DEFAULTS = {
  /** A look that comes later than this was held up; as in liveness.ts. */
  lateMs: 5_000,
};

/** One look at a gateway. */
export interface SilenceLook {
  readonly health: Health;
  /** Since the look before had ended; of the first look how long it took itself. */
  readonly sinceMs: number;
  /** How much later than planned it ended. */
  readonly lateMs: number;
}

/** Returns for how long nothing has been heard, in milliseconds, after one more look; 0 when it answers. */
export function silenceAfter(beforeMs: number, { health, sinceMs, lateMs }: SilenceLook): number {
  if (health === "ok" || lateMs > DEFAULTS.lateMs) return 0;
  return health === "unknown" ? beforeMs : beforeMs + sinceMs;
}
