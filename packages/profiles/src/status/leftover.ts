/** Clears the remains of an ended run: its lock file, and a record that still says "running". */
import { LockkeeperError } from "@lockkeeper/core";
import {
  appendHistory,
  isForeseen,
  formatHistoryEvent,
  isResting,
  replaceFile,
  whileUnowned,
} from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { OutsideSocket, SparedProcess } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import type { Manifest } from "../manifest.ts";
import { historyPath, lockPlace, runRecordPath } from "../profile-paths.ts";
import { readRegistry } from "../registry/registry.ts";
import { Look, OWN_LOCK } from "./evidence.ts";
import { observeState } from "./observed-state.ts";
import type { ObservedState } from "./observed-state.ts";
import { readRunRecord } from "./run-records.ts";

/**
 * Sweeps the profile's leftover and writes the reason into its history. Does nothing when the profile has an owner by now, or
 * when the disk refuses: the next observation tries again, and nothing depends on it.
 *
 * @param reason how the run ended. @default the reason of the observation
 * @param left what its end has left alone, and what the run had handed its work to.
 */
export async function sweepLeftover(home: string, manifest: Manifest, reason?: string, left: Left = {}): Promise<void> {
  try {
    await ifUnowned(home, manifest, async () => {
      const { record, observed } = lookAgain(home, manifest);
      if (record !== undefined && observed.owner === "nobody" && !isResting(record.state)) {
        const { spared = [], outside = [] } = left;
        const told = { ...record, ...(spared.length > 0 && { spared }), ...(outside.length > 0 && { outside }) };
        await settle(home, manifest, told, reason ?? observed.reason);
      }
    });
  } catch (error) {
    if (!isForeseen(error)) throw error;
  }
}

/** What a run leaves that nobody ends. */
interface Left {
  readonly spared?: readonly SparedProcess[];
  readonly outside?: readonly OutsideSocket[];
}

/** Records that a person has stopped a profile that had failed or was blocked. As quiet as {@link sweepLeftover}. */
export async function settleStopped(home: string, manifest: Manifest): Promise<void> {
  try {
    await ifUnowned(home, manifest, async () => {
      const { record, observed } = lookAgain(home, manifest);
      if (record === undefined || record.state === "stopped" || observed.owner !== "nobody") return;
      await settle(home, manifest, record, `stopped on request; it was ${record.state} before`);
    });
  } catch (error) {
    if (!isForeseen(error)) throw error;
  }
}

/**
 * Runs `action` while holding the profile's lock, so that no keeper and no gateway owns it meanwhile. Returns `owned` when it
 * has an owner, or its folder is gone.
 *
 * @throws the errors of `action`, and file errors.
 */
export async function ifUnowned<T>(home: string, manifest: Manifest, action: () => Promise<T>): Promise<T | "owned"> {
  // Taking the lock would create the folder of a profile again that was removed in the meantime.
  if (!existsSync(manifest.paths.profile) && !readRegistry(home).has(manifest.name)) return "owned";
  try {
    return await whileUnowned(lockPlace(manifest.paths), action, { timeoutMs: 0 });
  } catch (error) {
    if (error instanceof LockkeeperError && error.code === "LOCK_HELD") return "owned";
    throw error;
  }
}

/** Returns the observation of the profile for a caller that holds its lock. */
export function observeUnderLock(home: string, manifest: Manifest): ObservedState {
  return lookAgain(home, manifest).observed;
}

/** Called with the lock held: another run may have come and gone since the last observation. */
function lookAgain(
  home: string,
  manifest: Manifest,
): { readonly record: RunRecord | undefined; readonly observed: ObservedState } {
  const evidence = new Look({ home }).about(manifest, readRunRecord(home, manifest.name), OWN_LOCK);
  return { record: evidence.record, observed: observeState(evidence) };
}

async function settle(home: string, manifest: Manifest, record: RunRecord, reason: string | null): Promise<void> {
  const settled: RunRecord = {
    ...record,
    state: "stopped",
    reason,
    code: null,
    since: new Date().toISOString(),
    keeper: null,
    gateway: null,
    startedAt: null,
    health: "unknown",
  };
  await replaceFile(runRecordPath(home, manifest.name), `${JSON.stringify(settled)}\n`);
  noteInHistory(manifest, settled);
}

function noteInHistory(manifest: Manifest, { since: at, state, reason, restarts }: RunRecord): void {
  const event = { at, state, reason, code: null, pid: null, keeperPid: process.pid, restarts, exit: null };
  appendHistory(historyPath(manifest.paths), formatHistoryEvent(event));
}
