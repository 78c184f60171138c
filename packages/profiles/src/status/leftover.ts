/** Clears what an ended run left behind: its lock file, and a record that still says that something runs. */
import {
  acquireGatewayLock,
  appendHistory,
  errnoOf,
  formatHistoryEvent,
  judgeProcess,
  LockkeeperError,
  replaceFile,
  type RunRecord,
} from "@lockkeeper/core";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Manifest } from "../manifest.ts";
import { readRegistry } from "../registry/registry.ts";
import { observeState } from "./observed-state.ts";
import { readRunRecord, runRecordPath } from "./run-records.ts";

/**
 * Sweeps the profile's leftover and says why in its history. Does nothing when somebody owns the profile by now, who
 * will see to it, or when the disk refuses: the next look tries again, and nothing depends on it.
 *
 * @param reason how the run came to its end. @default that keeper and gateway were killed
 */
export async function sweepLeftover(home: string, manifest: Manifest, reason?: string): Promise<void> {
  try {
    const { profile, lock: lockDir, config: configPath } = manifest.paths;
    // The lock would make the folder of a profile anew that was removed since it was looked at.
    if (!existsSync(profile) && !readRegistry(home).has(manifest.name)) return;
    const lock = await acquireGatewayLock({ lockDir, configPath, profile: manifest.name, timeoutMs: 0 });
    try {
      await sweepOwned(home, manifest, reason);
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof LockkeeperError || errnoOf(error) !== undefined) return;
    throw error;
  }
}

/** Looks again, under the lock: another run may have come and gone since. */
async function sweepOwned(home: string, manifest: Manifest, reason: string | undefined): Promise<void> {
  const record = readRunRecord(home, manifest.name);
  const observed = observeState(record, judgeProcess);
  if (record === undefined || !observed.leftover) return;
  const swept: RunRecord = {
    ...record,
    state: "stopped",
    reason: reason ?? observed.reason,
    code: null,
    since: new Date().toISOString(),
    keeper: null,
    gateway: null,
    startedAt: null,
    health: "unknown",
  };
  await replaceFile(runRecordPath(home, manifest.name), `${JSON.stringify(swept)}\n`);
  noteInHistory(manifest, swept);
}

function noteInHistory(manifest: Manifest, { since: at, state, reason, restarts }: RunRecord): void {
  const event = { at, state, reason, code: null, pid: null, keeperPid: process.pid, restarts, exit: null };
  appendHistory(path.join(manifest.paths.logs, "events.jsonl"), formatHistoryEvent(event));
}
