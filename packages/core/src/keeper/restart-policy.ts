/**
 * Decides when to restart a crashed gateway, and when to give up. Pure: times come in, a decision goes out. Invariant: however
 * a gateway dies, at most five crashes in five minutes are answered with a restart or the end.
 */

/**
 * A gateway that exits with this code asks not to be restarted. Source: EX_CONFIG of sysexits.h; our units tell service
 * managers the same.
 */
export const PERMANENT_EXIT_STATUS = 78;

const DEFAULTS = {
  /** The usual limit of service managers; a gateway that crashes more than once a minute needs a person. */
  crashLimit: 5,
  windowMs: 5 * 60_000,
  /** The first restart is almost at once: most crashes are one-offs. Doubles with every crash in the window. */
  firstDelayMs: 250,
  /** Restarts do not help a gateway that leaks or hangs more often than this. */
  guardedLimit: 3,
  guardedWindowMs: 60 * 60_000,
};

/** `crashes`: how many within the window, the latest included. */
export type RestartDecision =
  | { readonly action: "restart"; readonly delayMs: number; readonly crashes: number }
  | { readonly action: "give-up"; readonly crashes: number };

/**
 * Decides what follows the latest crash.
 *
 * @param crashTimesMs monotonic times of all crashes of this keeper's life, the latest included.
 * @param nowMs the present on the same clock.
 * @param random a number in [0, 1): spreads the restarts of gateways that crashed together over half of the delay.
 */
export function decideRestart(crashTimesMs: readonly number[], nowMs: number, random: number): RestartDecision {
  const crashes = crashTimesMs.filter((time) => nowMs - time < DEFAULTS.windowMs).length;
  if (crashes >= DEFAULTS.crashLimit) return { action: "give-up", crashes };
  const ceilingMs = DEFAULTS.firstDelayMs * 2 ** Math.max(0, crashes - 1);
  return { action: "restart", delayMs: Math.round(ceilingMs * (0.5 + random / 2)), crashes };
}

/**
 * Decides whether a living gateway is restarted again for its memory or its silence. These restarts have a separate bound:
 * three in an hour, whatever the reasons.
 *
 * @param timesMs monotonic times of all such demands in this keeper's life, the latest included.
 */
export function decideGuardedRestart(timesMs: readonly number[], nowMs: number): RestartDecision["action"] {
  const occasions = timesMs.filter((time) => nowMs - time < DEFAULTS.guardedWindowMs).length;
  return occasions > DEFAULTS.guardedLimit ? "give-up" : "restart";
}

/** That bound in words. */
export const GUARDED_BOUND: string = `${DEFAULTS.guardedLimit} such restarts in ${DEFAULTS.guardedWindowMs / 60_000} minutes`;

/** The bound in words, for a reason that people read. */
export const RESTART_BOUND: string = `${DEFAULTS.crashLimit} crashes in ${DEFAULTS.windowMs / 60_000} minutes`;
