/**
 * What the keepers of one home have published (`run/<name>.json`), read for everybody. Reading never fails on a
 * damaged file: a record that does not parse is as good as none, since the lock and the port tell the truth.
 * Synchronous on purpose: these are small local files, and `list` is measured against a bare Node start.
 */
import { judgeProcess, LockkeeperError, parseRunRecord, readIfPresentSync, warn } from "@lockkeeper/core";
import type { FileOwner, RunRecord, SparedProcess } from "@lockkeeper/core";
import path from "node:path";
import { requireEntries } from "../directory-entries.ts";
import { homePaths } from "../profile-paths.ts";

/** Returns the path of a profile's run record. */
export function runRecordPath(home: string, name: string): string {
  return path.join(homePaths(home).run, `${name}.json`);
}

/** Returns where a stop of the profile may be given a time of its own; not the name of a record. */
export function stopRequestPath(home: string, name: string): string {
  return path.join(homePaths(home).run, `${name}.stop`);
}

/** Returns what was last published for the profile, or undefined. */
export function readRunRecord(home: string, name: string, owner?: FileOwner): RunRecord | undefined {
  try {
    // What is no plain file is not waited for.
    const text = readIfPresentSync(runRecordPath(home, name), owner);
    return text === undefined ? undefined : parseRunRecord(text);
  } catch (error) {
    // What is no plain file, or tells nothing, is as good as none; one that cannot be read is not, and is told.
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

/** Returns what ends of earlier runs have left alone, as far as it still lives. */
export function stillSpared(record: RunRecord | undefined): readonly SparedProcess[] {
  return (record?.spared ?? []).filter((process) => judgeProcess(process) !== "gone");
}
