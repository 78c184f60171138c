/**
 * From what a keeper published and which of its processes live, to the one word that a person is shown. Pure: the
 * judgement of the processes is handed in. A published state is believed only while its keeper lives.
 */
import type { ProcessIdentity, ProcessVerdict, PublishedState, RunRecord } from "@lockkeeper/core";

/** The one word for what a profile does. */
export type ProfileState = PublishedState | "orphaned" | "external";

/** What is true of a profile's run. */
export interface ObservedState {
  readonly state: ProfileState;
  readonly reason: string | null;
  /** The gateway's process, when it may live. */
  readonly gateway: ProcessIdentity | null;
  readonly keeper: ProcessIdentity | null;
  /** Whether a killed run left a record (and so perhaps a lock file) that the next look should sweep. */
  readonly leftover: boolean;
}

const neverRun: ObservedState = { state: "stopped", reason: null, gateway: null, keeper: null, leftover: false };

/** States that stay true after their keeper has gone. */
const restingStates: ReadonlySet<PublishedState> = new Set(["stopped", "failed", "blocked"]);

/** States that are only true of a living gateway. */
const servingStates: ReadonlySet<PublishedState> = new Set(["running", "unresponsive"]);

const justEnded = "its gateway has just ended, and its keeper has not yet said what follows";

/** Returns what is true of a profile whose keeper last published `record`. */
export function observeState(
  record: RunRecord | undefined,
  judge: (identity: ProcessIdentity) => ProcessVerdict,
): ObservedState {
  if (record === undefined) return neverRun;
  const keeper = unlessGone(record.keeper, judge);
  const gateway = unlessGone(record.gateway, judge);
  if (keeper !== null) {
    const ended = record.gateway !== null && gateway === null && servingStates.has(record.state);
    if (ended) return { state: "starting", reason: justEnded, gateway, keeper, leftover: false };
    return { state: record.state, reason: record.reason, gateway, keeper, leftover: false };
  }
  if (gateway !== null) {
    return { state: "orphaned", reason: "its keeper is gone, the gateway goes on", gateway, keeper, leftover: false };
  }
  if (restingStates.has(record.state)) {
    return { state: record.state, reason: record.reason, gateway, keeper, leftover: false };
  }
  return { state: "stopped", reason: "keeper and gateway were killed", gateway, keeper, leftover: true };
}

/** A process that cannot be judged counts as living: what we cannot see, we must not declare dead. */
function unlessGone(
  identity: ProcessIdentity | null,
  judge: (identity: ProcessIdentity) => ProcessVerdict,
): ProcessIdentity | null {
  return identity !== null && judge(identity) !== "gone" ? identity : null;
}
