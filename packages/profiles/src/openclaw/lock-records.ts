/**
 * Reads the records that running OpenClaw processes keep in their state directories. A record counts only while the process
 * that it names still lives and the state directory that it names is this one.
 *
 * Source: OpenClaw 2026.9.6, src/infra/gateway-lock.ts: `<state>/tmp/openclaw-<uid>/gateway.state.lock` and
 * `gateway.<hash>.lock`, JSON with pid, startTime (raw start ticks on Linux), port, configPath, stateDir, and a role that is
 * missing or `gateway` for a gateway.
 */
import { identifyProcess } from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import { lstatSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";
import type { ProgramRecord } from "../foreign-program.ts";
import { isPort } from "../port-number.ts";

const RECORD_BYTES = 64 * 1_024;

/** Returns the records of processes in a state directory; records of other directories are skipped. */
export function readLockRecords(stateDir: string): readonly ProgramRecord[] {
  const folder = path.join(stateDir, "tmp");
  return entriesOf(folder)
    .filter((entry) => entry.startsWith("openclaw-"))
    .flatMap((entry) => entriesOf(path.join(folder, entry)).map((file) => path.join(folder, entry, file)))
    .filter((file) => /[\\/]gateway\.[^\\/]+\.lock$/.test(file))
    .flatMap((file) => readRecord(file, stateDir) ?? []);
}

function readRecord(file: string, stateDir: string): ProgramRecord | undefined {
  try {
    const stats = lstatSync(file);
    if (!stats.isFile() || stats.size > RECORD_BYTES) return undefined;
    const value = JSON.parse(readFileSync(file, "utf8")) as Partial<Record<string, unknown>> | null;
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startTime, port, role } = value;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 1) return undefined;
    // A copied state directory contains the original's records.
    if (typeof value["stateDir"] === "string" && !isSameDirectory(value["stateDir"], stateDir)) return undefined;
    return {
      path: file,
      owner: verifiedOwner(pid, startTime),
      pid,
      port: isPort(port) ? port : null,
      role: role === undefined || role === "gateway" ? "gateway" : "other",
    };
  } catch {
    // The file has gone, is hidden from us, or was half written by a crash: it proves nothing.
    return undefined;
  }
}

/** A pid alone identifies nothing: without equal start ticks the record does not count. */
function verifiedOwner(pid: number, startTime: unknown): ProcessIdentity | null {
  const identity = identifyProcess(pid);
  if (identity === undefined || typeof startTime !== "number") return null;
  return identity.startTicks === startTime ? identity : null;
}

/** Compared by inode too, because a link or a mount may lead to it under another name. */
function isSameDirectory(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [a, b].map((each) => statSync(each, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
