/**
 * Looks at a gateway lock without touching it. Nothing is locked to look: a look that locked would now and then refuse
 * a real starter. For list, status and doctor.
 */
import { pause } from "../pause.ts";
import { findKernelLock } from "../host/kernel-locks.ts";
import { judgeOwner } from "./lock-owner.ts";
import { lockPathFor } from "./lock-path.ts";
import type { LockRecord } from "./lock-record.ts";
import type { Sighting } from "./read-lock-record.ts";
import { NO_LOCK_FILE, readLockRecord } from "./read-lock-record.ts";

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
    const isAbsent = seen.record === null && seen.problem === NO_LOCK_FILE;
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
