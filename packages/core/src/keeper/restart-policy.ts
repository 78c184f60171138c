/**
 * When to start a crashed gateway again, and when to give up. Pure: times come in, a decision goes out.
 * Invariant: however a gateway dies, at most five crashes in five minutes are answered with a restart or the end.
 */

/**
 * A gateway that ends with this has said that starting it again is no use. Source: EX_CONFIG of sysexits.h, which service managers
 * are told in the same sense.
 */
export const PERMANENT_EXIT_STATUS = 78;

const DEFAULTS = {
  /** What people know from service managers; a gateway that crashes faster than once a minute needs a person. */
  crashLimit: 5,
  windowMs: 5 * 60_000,
  /** The first restart is almost at once: most crashes are one-offs. Doubles with every crash in the window. */
  firstDelayMs: 250,
  /** A gateway that leaks or hangs more often than this is not helped by restarts. */
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
 * @param crashTimesMs monotonic times of all crashes of this keeper's life, the latest included, in milliseconds.
 * @param nowMs the present on the same clock.
 * @param random a number in [0, 1): spreads the restarts of gateways that fell together over half of the delay.
 */
export function decideRestart(crashTimesMs: readonly number[], nowMs: number, random: number): RestartDecision {
  const crashes = crashTimesMs.filter((time) => nowMs - time < DEFAULTS.windowMs).length;
  if (crashes >= DEFAULTS.crashLimit) return { action: "give-up", crashes };
  const ceilingMs = DEFAULTS.firstDelayMs * 2 ** Math.max(0, crashes - 1);
  return { action: "restart", delayMs: Math.round(ceilingMs * (0.5 + random / 2)), crashes };
}

/**
 * Decides whether a gateway that lives is restarted for its memory or its silence once more. These restarts have a bound of
 * their own: three in an hour, whatever the reasons.
 *
 * @param timesMs monotonic times of all occasions of this keeper's life, the latest included, in milliseconds.
 */
export function decideGuardedRestart(timesMs: readonly number[], nowMs: number): RestartDecision["action"] {
  const occasions = timesMs.filter((time) => nowMs - time < DEFAULTS.guardedWindowMs).length;
  return occasions > DEFAULTS.guardedLimit ? "give-up" : "restart";
}

/** That bound in words. */
export const GUARDED_BOUND: string = `${DEFAULTS.guardedLimit} such restarts in ${DEFAULTS.guardedWindowMs / 60_000} minutes`;

/** The bound in words, for a reason that people read. */
export const RESTART_BOUND: string = `${DEFAULTS.crashLimit} crashes in ${DEFAULTS.windowMs / 60_000} minutes`;
