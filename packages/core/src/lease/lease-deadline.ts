/**
 * Computes how long a lease may be trusted, from our own clock alone. Pure.
 *
 * The engine starts a lease's time when it receives a renewal, which is after we sent it. So a gateway that is gone `ttl`
 * after the *sending* is gone before another host can own the lease. The margin covers clocks that run up to 1 % apart, a
 * granularity of 10 ms, and the time that killing takes. Nothing is assumed about the time that clocks show.
 */

/** The times of a lease, all in milliseconds; all but the first two count from the sending of the last good renewal. */
export interface LeaseTimes {
  readonly ttlMs: number;
  /** How long one endpoint may take to answer. Three endpoints can be tried before the gateway is asked to end. */
  readonly attemptMs: number;
  readonly renewAfterMs: number;
  /** Without a newer renewal the gateway is asked to end. */
  readonly askAfterMs: number;
  /** Without a newer renewal the gateway must be gone. */
  readonly endAfterMs: number;
}

/**
 * Shares of the time to live. Early renewals make room for two more tries and for the election of a leader (1 to 2 s with
 * etcd's defaults) before anything is stopped. The last share is the margin: the gateway is over at 0.85.
 */
const SHARES = { attempt: 1 / 8, renew: 1 / 5, ask: 0.6, margin: 0.15 };

/**
 * Returns the times of a lease that lives `ttlSeconds`.
 *
 * @param margin share of the time to live. @default 0.15
 */
export function leaseTimes(ttlSeconds: number, margin: number = SHARES.margin): LeaseTimes {
  const ttlMs = ttlSeconds * 1_000;
  return {
    ttlMs,
    attemptMs: ttlMs * SHARES.attempt,
    renewAfterMs: ttlMs * SHARES.renew,
    askAfterMs: ttlMs * SHARES.ask,
    endAfterMs: ttlMs * (1 - margin),
  };
}

/** `held`: serve. `doubtful`: end gracefully. `over`: be gone, because another host may own the lease by now. */
export type LeasePhase = "held" | "doubtful" | "over";

/** Returns the state at `nowMs` when the last good renewal was sent at `sentAtMs`; both on one clock. */
export function leasePhase(times: LeaseTimes, sentAtMs: number, nowMs: number): LeasePhase {
  const age = nowMs - sentAtMs;
  // A clock that went back cannot be trusted, and neither can the lease.
  if (!(age >= 0) || age >= times.endAfterMs) return "over";
  return age >= times.askAfterMs ? "doubtful" : "held";
}
