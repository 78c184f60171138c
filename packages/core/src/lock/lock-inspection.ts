/**
 * Looks at a gateway lock without touching it, and sweeps what dead owners left. To look, nothing is locked: a look that
 * locked would now and then refuse a real starter. To sweep, the kernel lock is taken, so that nobody's file is removed.
 * For list, status and doctor.
 */
import * as fs from "node:fs";

import { errnoOf } from "../errors.ts";
import { pause } from "../pause.ts";
import { findKernelLock } from "../host/lock-table.ts";
import { KernelLockUnavailable } from "./kernel-lock.ts";
import { judgeOwner } from "./lock-owner.ts";
import { lockPathFor } from "./lock-path.ts";
import type { LockRecord, ParsedLockRecord } from "./lock-record.ts";
import { LOCK_RECORD_BYTES, parseLockRecord } from "./lock-record.ts";
import { tryLockFile } from "./locked-file.ts";

/** An owner makes the file and writes its record within a fraction of this. */
const BETWEEN_CREATE_AND_WRITE_MS = 2;

/** Which lock to look at. */
export interface LockPlace {
  readonly lockDir: string;
  readonly configPath: string;
}

/** What a look at a lock tells. */
export interface LockInspection {
  /** `stale`: a leftover that the next owner takes over. `unknown`: its owner, if any, cannot be seen from here. */
  readonly verdict: "free" | "held" | "stale" | "unknown";
  readonly path: string;
  readonly record: LockRecord | null;
  /** The observation behind the verdict, for a person. */
  readonly reason: string;
}

/** What is at the place of a lock file. `inode` is null when no file could be opened. */
type Sighting = ParsedLockRecord & { readonly inode: bigint | null };

/**
 * Says who holds the lock, changing nothing.
 *
 * @throws {LockkeeperError} file errors, when the config's real path cannot be told.
 */
export async function inspectGatewayLock({ lockDir, configPath }: LockPlace): Promise<LockInspection> {
  const path = lockPathFor(lockDir, configPath);
  let seen = readLockRecord(path);
  if (seen.record === null && seen.inode !== null) {
    await pause(BETWEEN_CREATE_AND_WRITE_MS);
    seen = readLockRecord(path);
  }
  return { path, record: seen.record, ...judge(seen) };
}

/** Returns what the lock file says of its owner, unjudged; null when it says nothing. For a quick look. */
export function readGatewayLock({ lockDir, configPath }: LockPlace): LockRecord | null {
  return readLockRecord(lockPathFor(lockDir, configPath)).record;
}

function judge(seen: Sighting): Pick<LockInspection, "verdict" | "reason"> {
  if (seen.inode === null) {
    const isAbsent = seen.record === null && seen.problem === ABSENT;
    return { verdict: isAbsent ? "free" : "unknown", reason: seen.record === null ? seen.problem : "" };
  }
  const owner = seen.record === null ? undefined : judgeOwner(seen.record);
  if (owner?.verdict === "alive") return { verdict: "held", reason: `pid ${owner.pid} holds it` };
  const whose =
    owner === undefined ? `the file ${seen.record === null ? seen.problem : ""}` : `its owner (pid ${owner.pid})`;
  const state = owner === undefined ? "" : owner.verdict === "gone" ? " is gone" : " cannot be seen from here";
  // The kernel's list of locks speaks where the record cannot: other namespaces, heirs of the descriptor.
  if (findKernelLock(seen.inode) === "locked") {
    return { verdict: "held", reason: `${whose}${state}, but somebody holds the kernel lock` };
  }
  const isOver = owner === undefined || owner.verdict === "gone";
  return { verdict: isOver ? "stale" : "unknown", reason: `${whose}${state}` };
}

/**
 * Removes a lock file whose owners are all gone. `held`: somebody has it, or may have it; nothing was changed.
 *
 * @throws {LockkeeperError} UNSAFE_PATH and file errors.
 */
export async function sweepGatewayLock({ lockDir, configPath }: LockPlace): Promise<"swept" | "nothing" | "held"> {
  return sweepLockFile(lockPathFor(lockDir, configPath));
}

/** Removes the lock file at `path` if its kernel lock can be had and no socket may hold it. */
export function sweepLockFile(path: string): "swept" | "nothing" | "held" {
  const file = tryToLock(path);
  if (file === "absent") return "nothing";
  if (file === "refused") return "held";
  try {
    const { record } = parseLockRecord(file.read());
    if (record?.mechanism === "socket" && judgeOwner(record).verdict !== "gone") return "held";
    file.remove();
    return "swept";
  } finally {
    file.close();
  }
}

function tryToLock(path: string): ReturnType<typeof tryLockFile> {
  try {
    return tryLockFile(path, { create: false });
  } catch (error) {
    if (error instanceof KernelLockUnavailable) return "refused";
    throw error;
  }
}

const ABSENT = "there is no lock file";

/** Reads what the file at `path` says, without waiting on anything that is not a plain file. */
export function readLockRecord(path: string): Sighting {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    const errno = errnoOf(error);
    return { record: null, inode: null, problem: errno === "ENOENT" ? ABSENT : `the file cannot be read (${errno})` };
  }
  try {
    const stats = fs.fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return { record: null, inode: null, problem: "what is there is not a plain file" };
    const bytes = Buffer.allocUnsafe(LOCK_RECORD_BYTES);
    const length = fs.readSync(fd, bytes, 0, LOCK_RECORD_BYTES, 0);
    return { ...parseLockRecord(bytes.subarray(0, length)), inode: stats.ino };
  } catch (error) {
    return { record: null, inode: null, problem: `the file cannot be read (${errnoOf(error)})` };
  } finally {
    fs.closeSync(fd);
  }
}
