/**
 * What is worth telling: from two states of a run, one after the other, to the event that lies between them, and what is
 * told of it. Pure. An outage ends with `recovered`, which says how long it was; any other way to a gateway that serves is
 * `ready`. A crash that is answered with a restart is no outage.
 */

/** What a hook can be told of. */
export type HookEvent = "failed" | "blocked" | "unresponsive" | "recovered" | "ready" | "stopped";

/** As much of a run's record as a hook is told. */
export interface HookSubject {
  readonly state: string;
  readonly reason: string | null;
  readonly since: string;
  readonly restarts: number;
  readonly lastExit: { readonly code: number | null; readonly signal: string | null } | null;
  /** Since when it has been down, once that was worth telling; null when it is not. ISO 8601. */
  readonly downSince?: string | null;
}

/** The document that a hook gets. A contract: fields are added, never renamed or removed. */
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
  /** Since when it is in that state, ISO 8601. */
  readonly since: string;
  /** How long the outage was that has just ended, in milliseconds; else null. */
  readonly downMs: number | null;
  /** How the gateway ended last; null when it never did. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  readonly restarts: number;
  /** Only in a message that somebody sends to try a hook. */
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
      // One that left somebody else in control has stopped nothing.
      return before?.state === "stopping" ? "stopped" : undefined;
    default:
      return undefined;
  }
}

/** Returns how long the outage before `after` was, in milliseconds; null when there was none. */
export function downTimeMs(before: HookSubject | undefined, after: HookSubject): number | null {
  if (after.state !== "running" || typeof before?.downSince !== "string") return null;
  // The clock may have been set back since.
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
