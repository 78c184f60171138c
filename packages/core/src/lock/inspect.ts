/**
 * Looks at a gateway lock without touching it. Nothing is locked to look: a look that locked would now and then refuse
 * a real starter. For list, status and doctor.
 */
import { pause } from "../pause.ts";
import type { KernelAnswer, KernelLook } from "./kernel-look.ts";
import { lookAtKernelLocks } from "./kernel-look.ts";
import { findLikelyOwner, sightingAt } from "./likely-owner.ts";
import type { OwnerReport } from "./lock-owner.ts";
import { judgeOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-path.ts";
import type { LockRecord } from "./lock-record.ts";
import type { Sighting } from "./read-lock-record.ts";
import { NO_LOCK_FILE } from "./read-lock-record.ts";

/** An owner makes the file and writes its record within a fraction of this. */
const BETWEEN_CREATE_AND_WRITE_MS = 2;

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
 * Says who holds the lock, changing nothing. Where the kernel tells, its word decides; a record only names the owner.
 *
 * @param look shares one reading of the kernel's list among several questions.
 * @throws {LockkeeperError} file errors, when the config's real path cannot be told.
 */
export async function inspectGatewayLock(
  place: LockPlace,
  look: KernelLook = lookAtKernelLocks(),
): Promise<LockInspection> {
  let seen = findLikelyOwner(place);
  if (seen.record === null && seen.exists) {
    await pause(BETWEEN_CREATE_AND_WRITE_MS);
    seen = findLikelyOwner(place);
  }
  const answer = look.ask(place);
  if (answer.verdict === "held" && answer.path !== seen.path) seen = sightingAt(answer.path);
  return { path: seen.path, record: seen.record, ...judge(seen, answer) };
}

/** Returns what the lock file says of its owner, unjudged; null when it says nothing. For a quick look. */
export function readGatewayLock(place: LockPlace): LockRecord | null {
  return findLikelyOwner(place).record;
}

/** Returns what the lock file at `path` says of its owner, unjudged; null when it says nothing. */
export function readLockFile(path: string): LockRecord | null {
  return sightingAt(path).record;
}

function judge(seen: Sighting, answer: KernelAnswer): Pick<LockInspection, "verdict" | "reason"> {
  const owner = seen.record === null ? undefined : judgeOwner(seen.record);
  const whose = owner === undefined ? describeFile(seen) : `its owner (pid ${owner.pid}) ${STATES[owner.verdict]}`;
  if (answer.verdict === "held") return { verdict: "held", reason: explainHeld(owner, whose, answer) };
  const isShown = answer.verdict === "free";
  if (!seen.exists && seen.record === null) {
    return { verdict: seen.problem === NO_LOCK_FILE && isShown ? "free" : "unknown", reason: seen.problem };
  }
  if (isShown)
    return { verdict: "stale", reason: owner?.verdict === "alive" ? `${whose}, but does not hold it` : whose };
  if (owner?.verdict === "alive") return { verdict: "held", reason: `pid ${owner.pid} holds it` };
  return { verdict: owner?.verdict === "unknown" ? "unknown" : "stale", reason: whose };
}

const STATES = { alive: "lives", gone: "is gone", unknown: "cannot be seen from here" } as const;

function describeFile(seen: Sighting): string {
  return `the file ${seen.record === null ? seen.problem : ""}`;
}

function explainHeld(
  owner: OwnerReport | undefined,
  whose: string,
  answer: Extract<KernelAnswer, { verdict: "held" }>,
): string {
  if (owner?.verdict === "alive") return `pid ${owner.pid} holds it`;
  const [holder] = answer.findHolders();
  const by = holder === undefined ? "somebody in another container, or another user," : `pid ${holder.pid}`;
  return `${whose}, but ${by} holds the kernel lock`;
}
