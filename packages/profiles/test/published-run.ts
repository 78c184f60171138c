/** A run as its keeper publishes it, without a keeper. */
import type { RunRecord } from "@lockkeeper/core";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Manifest } from "../src/manifest.ts";
import { homePaths, runRecordPath } from "../src/profile-paths.ts";

/** Returns the record of a healthy run of the profile whose processes nobody knows. */
export function runOf({ name, kind, host, port, ports }: Manifest, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    v: 1,
    profile: name,
    nonce: "0".repeat(32),
    kind,
    state: "running",
    reason: null,
    code: null,
    since: "2026-01-02T03:04:05.678Z",
    keeper: null,
    gateway: null,
    host,
    port,
    ports,
    startedAt: null,
    health: "ok",
    restarts: 0,
    lastExit: null,
    ...changes,
  };
}

/** Writes that record to its place in the home. */
export function publishRun(home: string, manifest: Manifest, changes: Partial<RunRecord> = {}): void {
  mkdirSync(homePaths(home).run, { recursive: true, mode: 0o700 });
  writeFileSync(runRecordPath(home, manifest.name), JSON.stringify(runOf(manifest, changes)), { mode: 0o600 });
}
