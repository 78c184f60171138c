/**
 * Reads the records that the keepers of one home have published (`run/<name>.json`). Reading never fails on a damaged file: a
 * record that does not parse counts as missing, because the lock and the port tell the truth. Synchronous on purpose: these
 * are small local files, and `list` is measured against a bare Node start.
 */
import { LockkeeperError, parseRunRecord } from "@lockkeeper/core";
import { judgeProcess, readIfPresentSync, warn } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { FileOwner, SparedProcess } from "@lockkeeper/core/internal";
import { requireEntries } from "../directory-entries.ts";
import { homePaths, runRecordPath } from "../profile-paths.ts";

/** Returns the profile's last record, or undefined. */
export function readRunRecord(home: string, name: string, owner?: FileOwner): RunRecord | undefined {
  try {
    // A pipe in its place is not waited for.
    const text = readIfPresentSync(runRecordPath(home, name), owner);
    return text === undefined ? undefined : parseRunRecord(text);
  } catch (error) {
    // Anything but a plain file counts as no record. A record that cannot be read may say something else, so there is a warning.
    if (error instanceof LockkeeperError && error.code !== "UNSAFE_PATH")
      warn(`${error.message}: the state of ${name} may be another`, error.code);
    return undefined;
  }
}

/**
 * Returns every profile's last published record, by name, with one read of the directory.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED when the directory cannot be read.
 */
export function readRunRecords(home: string, owner?: FileOwner): ReadonlyMap<string, RunRecord> {
  const records = new Map<string, RunRecord>();
  for (const entry of requireEntries(homePaths(home).run)) {
    if (!entry.endsWith(".json")) continue;
    const name = entry.slice(0, -".json".length);
    const record = readRunRecord(home, name, owner);
    if (record !== undefined) records.set(name, record);
  }
  return records;
}

/** Returns the living processes that the ends of earlier runs have spared. */
export function stillSpared(record: RunRecord | undefined): readonly SparedProcess[] {
  return (record?.spared ?? []).filter((process) => judgeProcess(process) !== "gone");
}
