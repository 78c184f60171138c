/**
 * What a profile's command has handed its work to, where that listens still: a daemon outside of the run's process tree. It is
 * named with a way to end it, and never signalled: nothing shows that it is the profile's alone.
 */
import { findHolders, isOutsideSocket, readListeners } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { Listener } from "@lockkeeper/core/internal";

/** Follows on from what names the holder. */
export const HANDED_ON = "it began to listen during a run of this profile, outside of its process tree";

/** Returns what listens still of what the runs up to `record` have handed their work to. */
export function findHandedOn({ outside }: Pick<RunRecord, "outside">): readonly Listener[] {
  if (outside === undefined || outside.length === 0) return [];
  const listeners = readListeners();
  return listeners === "unknown" ? [] : listeners.filter((listener) => isOutsideSocket(listener, outside));
}

/** Returns the next step to end them, for a person. */
export function howToEnd(listeners: readonly Listener[]): string {
  const self = process.geteuid?.();
  const holders = findHolders(listeners.filter(({ uid }) => self === 0 || uid === self));
  const pids = [...new Set([...holders.values()].map(({ pid }) => pid))];
  return pids.length === 0
    ? "End it where it was started (docker stop, tmux kill-session), or as its user."
    : `End it as it was started (docker stop, tmux kill-session), or with: kill ${pids.join(" ")}`;
}
