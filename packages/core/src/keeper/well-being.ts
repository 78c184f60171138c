/**
 * The health history of a run: since when it is healthy, when it was last unhealthy, since when it is down. Pure: published
 * states go in, one by one. A requested stop is not an outage, but it does not end one either: only a serving gateway does.
 */
import type { GatewayExit, PublishedState, RunRecord } from "./run-record.ts";

/** The part of a record with this history. */
export type WellBeing = Required<Pick<RunRecord, "healthySince" | "lastUnhealthyAt" | "downSince">>;

/** The history of a profile that was never unhealthy. */
export const NEVER_UNWELL: WellBeing = { healthySince: null, lastUnhealthyAt: null, downSince: null };

const UNWELL: ReadonlySet<PublishedState> = new Set(["unresponsive", "failed", "blocked"]);

/**
 * Returns the history after a change.
 *
 * @param state the published state.
 * @param exit how the gateway ended, when its end led to this state.
 * @param at when, ISO 8601.
 */
export function wellBeingAfter(
  before: WellBeing,
  state: PublishedState,
  exit: GatewayExit | null,
  at: string,
): WellBeing {
  if (state === "running") return { ...before, healthySince: before.healthySince ?? at, downSince: null };
  // A crash followed by a restart is recorded, but is not yet an outage.
  const isCrash = state === "starting" && exit !== null;
  const { lastUnhealthyAt, downSince } = before;
  if (!UNWELL.has(state)) {
    return { healthySince: null, lastUnhealthyAt: isCrash ? exit.at : lastUnhealthyAt, downSince };
  }
  return { healthySince: null, lastUnhealthyAt: at, downSince: downSince ?? at };
}
