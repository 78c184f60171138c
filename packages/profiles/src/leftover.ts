/** Clears what a killed run left behind: its lock file, and a record that still says that something runs. */
import { acquireGatewayLock, GatewayLockError, replaceFile, type RunRecord } from "@lockkeeper/core";
import type { Manifest } from "./manifest.ts";
import { readRunRecord, runRecordPath } from "./run-records.ts";

/**
 * Sweeps the profile's leftover. Does nothing when somebody owns the profile by now, who will see to it, or when the
 * disk refuses: the next look tries again, and nothing depends on it.
 */
export async function sweepLeftover(home: string, manifest: Manifest): Promise<void> {
  try {
    await using lock = await acquireGatewayLock({
      lockDir: manifest.paths.lock,
      configPath: manifest.paths.config,
      profile: manifest.name,
      timeoutMs: 0,
    });
    const record = readRunRecord(home, manifest.name);
    if (record === undefined || record.nonce === lock.record.nonce) return;
    const swept: RunRecord = {
      ...record,
      state: "stopped",
      reason: "keeper and gateway were killed",
      keeper: null,
      gateway: null,
      startedAt: null,
      health: "unknown",
    };
    await replaceFile(runRecordPath(home, manifest.name), `${JSON.stringify(swept)}\n`);
  } catch (error) {
    if (error instanceof GatewayLockError) return;
    if (error instanceof Error && "code" in error) return;
    throw error;
  }
}
