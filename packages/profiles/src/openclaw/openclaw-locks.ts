/**
 * The records that running OpenClaw gateways keep in their state directories. Only read, and believed only while the
 * process they name is that very process.
 *
 * Source: OpenClaw 2026.9.6 as observed: `<state>/tmp/openclaw-<uid>/gateway.state.lock` and `gateway.<hash>.lock`, JSON
 * with pid, startTime (raw start ticks on Linux), port, configPath, stateDir.
 */
import { identifyProcess, type ProcessIdentity } from "@lockkeeper/core";
import { lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";
import { isPort } from "../port-number.ts";

/** One record; null where it does not say. */
export interface OpenClawLock {
  readonly path: string;
  /** The process that the record names, verified; null when it is gone or cannot be told from another. */
  readonly owner: ProcessIdentity | null;
  readonly pid: number;
  readonly port: number | null;
  readonly configPath: string | null;
  readonly stateDir: string | null;
}

const recordBytes = 64 * 1_024;

/** Returns the lock records in a state directory; what is no record is passed over. */
export function readOpenClawLocks(stateDir: string): readonly OpenClawLock[] {
  const folder = path.join(stateDir, "tmp");
  return entriesOf(folder)
    .filter((entry) => entry.startsWith("openclaw-"))
    .flatMap((entry) => entriesOf(path.join(folder, entry)).map((file) => path.join(folder, entry, file)))
    .filter((file) => /[\\/]gateway\.[^\\/]+\.lock$/.test(file))
    .flatMap((file) => readLock(file) ?? []);
}

function readLock(file: string): OpenClawLock | undefined {
  try {
    const stats = lstatSync(file);
    if (!stats.isFile() || stats.size > recordBytes) return undefined;
    const value = JSON.parse(readFileSync(file, "utf8")) as Partial<Record<string, unknown>> | null;
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startTime, port, configPath, stateDir } = value;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 1) return undefined;
    return {
      path: file,
      owner: verifiedOwner(pid, startTime),
      pid,
      port: isPort(port) ? port : null,
      configPath: typeof configPath === "string" ? configPath : null,
      stateDir: typeof stateDir === "string" ? stateDir : null,
    };
  } catch {
    // Gone meanwhile, hidden from us, or half written by a crash: it tells nothing.
    return undefined;
  }
}

/** A pid alone names nobody: without equal start ticks the record is not believed. */
function verifiedOwner(pid: number, startTime: unknown): ProcessIdentity | null {
  const identity = identifyProcess(pid);
  if (identity === undefined || typeof startTime !== "number") return null;
  return identity.startTicks === startTime ? identity : null;
}
