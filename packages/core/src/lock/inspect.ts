/**
 * Inspects a gateway lock without touching it. An inspection takes no lock, because it would then sometimes refuse a real
 * starter. For list, status and doctor.
 */
import { pause } from "../pause.ts";
import { isPath, optionCheck } from "../wrong-options.ts";
import type { KernelAnswer, KernelLook } from "./kernel-look.ts";
import { lookAtKernelLocks } from "./kernel-look.ts";
import { findLikelyOwner, sightingAt } from "./likely-owner.ts";
import type { OwnerReport } from "./lock-owner.ts";
import { judgeOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-path.ts";
import type { LockRecord } from "./lock-record.ts";
import type { Sighting } from "./read-lock-record.ts";
import { NO_LOCK_FILE } from "./read-lock-record.ts";

/** An owner creates the file and writes its record much faster than this. */
const BETWEEN_CREATE_AND_WRITE_MS = 2;

/** The result of an inspection. */
export interface LockInspection {
  /** `stale`: a leftover that the next owner takes over. `unknown`: its owner, if any, is not visible from here. */
  readonly verdict: "free" | "held" | "stale" | "unknown";
  readonly path: string;
  readonly record: LockRecord | null;
  /** The observation behind the verdict, in words. */
  readonly reason: string;
}

/**
 * Says who holds the lock, without changing anything. The kernel decides where it can tell; a record only names the owner.
 *
 * @param shared shares one look at the kernel's list among several questions. A lock that it sees held is not read again.
 * @throws {TypeError} when `place` has no such paths; {LockkeeperError} file errors, when the config's real path cannot be resolved.
 */
export async function inspectGatewayLock(place: LockPlace, shared?: KernelLook): Promise<LockInspection> {
  const expect = optionCheck("inspectGatewayLock");
  expect(
    "place",
    place,
    "an object with lockDir and configPath",
    (given) => typeof given === "object" && given !== null,
  );
  expect("lockDir", place.lockDir, "a path", isPath);
  expect("configPath", place.configPath, "a path", isPath);
  const known = shared?.ask(place);
  if (known?.verdict === "held" && known.seen.record !== null) {
    return { path: known.path, record: known.seen.record, ...judge(known.seen, known) };
  }
  const look = shared ?? lookAtKernelLocks();
  let seen = findLikelyOwner(place);
  if (seen.record === null && seen.exists) {
    await pause(BETWEEN_CREATE_AND_WRITE_MS);
    seen = findLikelyOwner(place);
  }
  const answer = look.ask(place);
  if (answer.verdict === "held" && answer.path !== seen.path) seen = sightingAt(answer.path);
  return { path: seen.path, record: seen.record, ...judge(seen, answer) };
}

/** Returns the lock file's record of its owner, unverified; null when it has none. For a quick look. */
export function readGatewayLock(place: LockPlace): LockRecord | null {
  return findLikelyOwner(place).record;
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
  const by = holder === undefined ? "a process in another container, or of another user," : `pid ${holder.pid}`;
  return `${whose}, but ${by} holds the kernel lock`;
}
