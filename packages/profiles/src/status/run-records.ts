/**
 * What the keepers of one home have published (`run/<name>.json`), read for everybody. Reading never fails on a
 * damaged file: a record that does not parse is as good as none, since the lock and the port tell the truth.
 * Synchronous on purpose: these are small local files, and `list` is measured against a bare Node start.
 */
import { parseRunRecord, readIfPresentSync, type RunRecord } from "@lockkeeper/core";
import { readdirSync } from "node:fs";
import path from "node:path";
import { homePaths } from "../profile-paths.ts";

/** Returns the path of a profile's run record. */
export function runRecordPath(home: string, name: string): string {
  return path.join(homePaths(home).run, `${name}.json`);
}

/** Returns what was last published for the profile, or undefined. */
export function readRunRecord(home: string, name: string): RunRecord | undefined {
  try {
    // What is no plain file is not waited for.
    const text = readIfPresentSync(runRecordPath(home, name));
    return text === undefined ? undefined : parseRunRecord(text);
  } catch {
    return undefined;
  }
}

/** Returns every profile's last published record, by name, with one read of the directory. */
export function readRunRecords(home: string): ReadonlyMap<string, RunRecord> {
  const records = new Map<string, RunRecord>();
  for (const entry of entriesOf(homePaths(home).run)) {
    if (!entry.endsWith(".json")) continue;
    const name = entry.slice(0, -".json".length);
    const record = readRunRecord(home, name);
    if (record !== undefined) records.set(name, record);
  }
  return records;
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
