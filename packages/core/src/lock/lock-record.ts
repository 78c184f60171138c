/**
 * The record in a lock file, as data: who holds the lock. It describes the owner and decides nothing; ownership is the
 * kernel's. One record is one JSON object, padded to a fixed size so that it can be rewritten in place by one write. Pure.
 * Whatever the bytes are, parsing ends quickly, throws nothing and ignores unknown fields.
 */
import { basename } from "node:path";

import type { ProcessIdentity } from "../host/process-identity.ts";

/** How the lock is held. The two mechanisms do not see each other, so the record says which one it is. */
export type LockMechanism = "kernel" | "socket";

/** The gateway behind a lock, in the same boot and pid namespace as the record's own pid. */
export interface LockedGateway {
  readonly pid: number;
  readonly startTicks: number | null;
}

/** The process that took the lock (pid and what makes it unique), the config, and the gateway behind it. */
export interface LockRecord extends ProcessIdentity {
  readonly v: 1;
  readonly mechanism: LockMechanism;
  /** Inode of the network namespace, as text, in which a `socket` lock excludes others; null elsewhere. */
  readonly networkNamespace: string | null;
  /** Random, 32 hex digits: distinguishes two locks of one process. */
  readonly nonce: string;
  readonly profile: string | null;
  /** Cut at the front and marked with "…" when it is too long for the record. */
  readonly configPath: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly gateway: LockedGateway | null;
  /** ISO 8601; for people. No decision depends on it. */
  readonly createdAt: string;
}

/** The content of a lock file: a record, or why there is none. */
export type ParsedLockRecord = { readonly record: LockRecord } | { readonly record: null; readonly problem: string };

/** The size of every record, in bytes. */
export const LOCK_RECORD_BYTES = 1_024;

const SPACE = 0x20;
const NEWLINE = 0x0a;
/** The first character of a path that was cut at the front. */
export const CUT_MARK = "…";

/** Returns the record as exactly {@link LOCK_RECORD_BYTES} bytes that {@link parseLockRecord} understands. */
export function formatLockRecord(record: LockRecord): Uint8Array {
  const bytes = Buffer.allocUnsafe(LOCK_RECORD_BYTES).fill(SPACE);
  bytes[LOCK_RECORD_BYTES - 1] = NEWLINE;
  let text = JSON.stringify(record);
  let sizeBytes = Buffer.byteLength(text);
  // A character of the path may take up to six bytes, so shorten by the least that is needed and check again.
  for (
    let path = record.configPath;
    sizeBytes >= LOCK_RECORD_BYTES && path !== "";
    sizeBytes = Buffer.byteLength(text)
  ) {
    path = path.slice(Math.ceil((sizeBytes - LOCK_RECORD_BYTES + 4) / 6));
    text = JSON.stringify({ ...record, configPath: CUT_MARK + path });
  }
  if (sizeBytes >= LOCK_RECORD_BYTES) throw new TypeError("expected a lock record of at most 1 KiB");
  bytes.write(text);
  return bytes;
}

/** Returns the record in `bytes`, or why there is none. Never throws. */
export function parseLockRecord(bytes: Uint8Array): ParsedLockRecord {
  const length = Math.min(bytes.byteLength, LOCK_RECORD_BYTES);
  return parseLockText(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("utf8"));
}

/** As {@link parseLockRecord}, of bytes that were decoded. */
export function parseLockText(padded: string): ParsedLockRecord {
  const text = padded.trim();
  if (text === "") return { record: null, problem: "is empty" };
  const value = parseJson(text);
  if (!isObject(value)) return { record: null, problem: "holds no record" };
  const version = value["v"];
  if (version !== 1) {
    const named = typeof version === "number" ? `of version ${version}` : "without a version";
    return { record: null, problem: `holds a record ${named}` };
  }
  const record = pickRecord(value);
  return record === undefined ? { record: null, problem: "holds a damaged record" } : { record };
}

/**
 * Says whether the record in the lock file at `path` is a mutex's: its holder is a command that keeps the place still, not an
 * owner. Judged by the last part of the path, because a home may have several.
 */
export function isMutexRecord({ configPath, gateway, port }: LockRecord, path: string): boolean {
  return gateway === null && port === null && basename(configPath) === basename(path);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pickRecord(fields: Fields): LockRecord | undefined {
  const mechanism = fields["mechanism"];
  const pid = asCount(fields["pid"]);
  const nonce = asText(fields["nonce"]);
  if ((mechanism !== "kernel" && mechanism !== "socket") || pid === null || nonce === null) return undefined;
  const port = asCount(fields["port"]);
  return {
    v: 1,
    mechanism,
    pid,
    startTicks: asCount(fields["startTicks"]),
    bootId: asText(fields["bootId"]),
    pidNamespace: asText(fields["pidNamespace"]),
    networkNamespace: asText(fields["networkNamespace"]),
    nonce,
    profile: asText(fields["profile"]),
    configPath: asText(fields["configPath"]) ?? "",
    host: asText(fields["host"]),
    port: port !== null && port <= 65_535 ? port : null,
    gateway: pickGateway(fields["gateway"]),
    createdAt: asText(fields["createdAt"]) ?? "",
  };
}

function pickGateway(value: unknown): LockedGateway | null {
  if (!isObject(value)) return null;
  const pid = asCount(value["pid"]);
  return pid === null ? null : { pid, startTicks: asCount(value["startTicks"]) };
}

/** A positive integer: pids, ticks and ports; anything else counts as absent. */
function asCount(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function asText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
