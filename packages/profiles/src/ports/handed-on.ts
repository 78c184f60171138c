/**
 * Finds a daemon outside of the run's process tree that a profile's command started and that still listens. It is named with a
 * way to end it, and never signalled, because nothing proves that it belongs to the profile alone.
 */
import { findHolders, isOutsideSocket, readListeners } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { Listener } from "@lockkeeper/core/internal";

/** Continues the sentence that names the holder. */
export const HANDED_ON = "it began to listen during a run of this profile, outside of its process tree";

/** Returns the daemons of runs up to `record` that still listen. */
export function findHandedOn({ outside }: Pick<RunRecord, "outside">): readonly Listener[] {
  if (outside === undefined || outside.length === 0) return [];
  const listeners = readListeners();
  return listeners === "unknown" ? [] : listeners.filter((listener) => isOutsideSocket(listener, outside));
}

/** Returns the next step to end them, as a hint. */
export function howToEnd(listeners: readonly Listener[]): string {
  const self = process.geteuid?.();
  const holders = findHolders(listeners.filter(({ uid }) => self === 0 || uid === self));
  const pids = [...new Set([...holders.values()].map(({ pid }) => pid))];
  return pids.length === 0
    ? "End it where it was started (docker stop, tmux kill-session), or as its user."
    : `End it as it was started (docker stop, tmux kill-session), or with: kill ${pids.join(" ")}`;
}
