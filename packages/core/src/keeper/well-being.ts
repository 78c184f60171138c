/**
 * How a run has been: since when it is well, when it was not last, since when it is down. Pure: what is published goes in,
 * state by state. A stop that somebody asked for is no outage, but it does not end one either: only a gateway that serves does.
 */
import type { GatewayExit, PublishedState, RunRecord } from "./run-record.ts";

/** The part of a record that says so. */
export type WellBeing = Required<Pick<RunRecord, "healthySince" | "lastUnhealthyAt" | "downSince">>;

/** What holds of a profile that was never seen unwell. */
export const NEVER_UNWELL: WellBeing = { healthySince: null, lastUnhealthyAt: null, downSince: null };

const UNWELL: ReadonlySet<PublishedState> = new Set(["unresponsive", "failed", "blocked"]);

/**
 * Returns what holds after a change.
 *
 * @param state what is published now.
 * @param exit how the gateway ended, when its end led to this.
 * @param at when, ISO 8601.
 */
export function wellBeingAfter(
  before: WellBeing,
  state: PublishedState,
  exit: GatewayExit | null,
  at: string,
): WellBeing {
  if (state === "running") return { ...before, healthySince: before.healthySince ?? at, downSince: null };
  // A crash that is answered with a restart is noted, but is not yet an outage.
  const isCrash = state === "starting" && exit !== null;
  const { lastUnhealthyAt, downSince } = before;
  if (!UNWELL.has(state)) {
    return { healthySince: null, lastUnhealthyAt: isCrash ? exit.at : lastUnhealthyAt, downSince };
  }
  return { healthySince: null, lastUnhealthyAt: at, downSince: downSince ?? at };
}
