/**
 * Decides which event lies between two consecutive states of a run, and what a hook is told about it. Pure. An outage ends
 * with `recovered`, which says how long it was; any other way to a gateway that serves is `ready`. A crash that is answered
 * with a restart is no outage.
 */

/** What a hook can be told of. */
export type HookEvent = "failed" | "blocked" | "unresponsive" | "recovered" | "ready" | "stopped";

/** The part of a run's record that a hook may see. */
export interface HookSubject {
  readonly state: string;
  readonly reason: string | null;
  readonly since: string;
  readonly restarts: number;
  readonly lastExit: { readonly code: number | null; readonly signal: string | null } | null;
  /** Start of the outage that was reported; null when there is none. ISO 8601. */
  readonly downSince?: string | null;
}

/** The document that a hook receives. It is a contract: fields are added, never renamed or removed. */
export interface HookMessage {
  readonly v: 1;
  readonly event: HookEvent;
  readonly profile: string;
  readonly home: string | null;
  /** The name of this machine. */
  readonly host: string;
  /** When it happened, ISO 8601. */
  readonly at: string;
  readonly state: string;
  readonly reason: string | null;
  /** When it entered that state, ISO 8601. */
  readonly since: string;
  /** Length of the outage that has just ended; null otherwise. */
  readonly downMs: number | null;
  /** How the gateway last ended; null when it never ended. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  readonly restarts: number;
  /** Present only in a test message. */
  readonly test?: true;
}

/** Returns the event between two states; undefined when there is none. `before` undefined: nothing was seen before. */
export function hookEventBetween(before: HookSubject | undefined, after: HookSubject): HookEvent | undefined {
  if (before?.state === after.state) return undefined;
  switch (after.state) {
    case "running":
      if (typeof before?.downSince === "string") return "recovered";
      return before === undefined || before.state === "unresponsive" ? undefined : "ready";
    case "unresponsive":
    case "failed":
    case "blocked":
      return after.state;
    case "stopped":
      // A keeper that left another one in control has stopped nothing.
      return before?.state === "stopping" ? "stopped" : undefined;
    default:
      return undefined;
  }
}

/** Returns how long the outage before `after` was, in milliseconds; null when there was none. */
export function downTimeMs(before: HookSubject | undefined, after: HookSubject): number | null {
  if (after.state !== "running" || typeof before?.downSince !== "string") return null;
  // The clock may have been set back in between.
  return Math.max(0, Date.parse(after.since) - Date.parse(before.downSince)) || 0;
}

/** Returns what is told of `event`. */
export function hookMessage(
  event: HookEvent,
  place: Pick<HookMessage, "profile" | "home" | "host">,
  before: HookSubject | undefined,
  after: HookSubject,
): HookMessage {
  const { state, reason, since, restarts, lastExit } = after;
  return {
    v: 1,
    event,
    ...place,
    at: since,
    state,
    reason,
    since,
    downMs: downTimeMs(before, after),
    exit: lastExit === null ? null : { code: lastExit.code, signal: lastExit.signal },
    restarts,
  };
}
