/**
 * Waiting for the gateway lock, with an end: how often to try, when there is no point in trying on, and what to tell about
 * the owner then. An owner that is confirmed and listens is never waited for; one that is silent, to the deadline only.
 * For the gateway lock.
 */
import { isIP } from "node:net";

import { GatewayLockError, throwIfAborted } from "../errors.ts";
import { gatewayUrl } from "../host/address.ts";
import { findLockHolders } from "../host/lock-holders.ts";
import { probeListener } from "../host/probe-port.ts";
import { pause } from "../pause.ts";
import type { PlacedSighting } from "./likely-owner.ts";
import { findLikelyOwner, sightingAt } from "./likely-owner.ts";
import type { LockFiles, LockPlace } from "./lock-path.ts";
import type { Claim, ComposeRecord } from "./mechanism/claim.ts";
import { tryClaim } from "./mechanism/try-claim.ts";
import { judgeOwner } from "./lock-owner.ts";
import type { LockMechanism, LockRecord } from "./lock-record.ts";
import { formatLockRecord } from "./lock-record.ts";
import { findRival } from "./sweep.ts";

const DEFAULTS = {
  /** The least wait, whatever `timeoutMs` says: a sweep or another starter's probe holds the lock for less. */
  leastWaitMs: 50,
  /** At first a refused starter looks again this often: it is what a takeover after a SIGKILL takes. */
  eagerPauseMs: 1,
  eagerForMs: 1_000,
  patientPauseMs: 15,
  /** How often the owner that we wait for is looked at, to fail fast once it listens. */
  ownerLookMs: 100,
};

/** What {@link claimInTime} claims with, and how long it tries. */
export interface ClaimTerms {
  /** Those of the place. */
  readonly files: LockFiles;
  readonly mechanisms: readonly LockMechanism[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Returns the claim as soon as it is granted.
 *
 * @throws {GatewayLockError} LOCK_HELD after `timeoutMs`, or as soon as the owner is seen to listen; and as `tryClaim`.
 * @throws {LockkeeperError} ABORTED when `signal` aborts first.
 */
export async function claimInTime(
  place: LockPlace,
  describe: (mechanism: LockMechanism) => LockRecord,
  { files, mechanisms, timeoutMs, signal }: ClaimTerms,
): Promise<Claim> {
  const compose: ComposeRecord = (mechanism) => formatLockRecord(describe(mechanism));
  const startedAt = performance.now();
  let lookAtMs = 0;
  let listened = false;
  for (;;) {
    throwIfAborted(signal, `while waiting for the gateway lock of ${files.path}`);
    const claim = await tryClaim(files, compose, { mechanisms });
    const rival = claim === "refused" ? undefined : await findRivalOf(claim, place, files);
    if (claim !== "refused" && rival === undefined) return claim;
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= Math.max(timeoutMs, DEFAULTS.leastWaitMs)) throw await heldError(place, timeoutMs, rival);
    if (elapsedMs >= lookAtMs) {
      const listens = (await readOwnerPort(findOwner(place, rival).record)) === "listening";
      // Twice in a row: an owner that was just killed lives and listens until its last millisecond.
      if (listens && listened) throw await heldError(place, performance.now() - startedAt, rival);
      listened = listens;
      lookAtMs = elapsedMs + DEFAULTS.ownerLookMs;
    }
    // What makes way for a rival writes and removes files at each try.
    const isEager = rival === undefined && elapsedMs < DEFAULTS.eagerForMs;
    const pauseMs = isEager ? DEFAULTS.eagerPauseMs : DEFAULTS.patientPauseMs;
    // Jitter, so that starters that were refused together do not stay in step.
    await pause(pauseMs * (0.5 + Math.random()), signal);
  }
}

/** Returns the file by which somebody else owns what we have just claimed, and lets the claim go then. */
async function findRivalOf(claim: Claim, place: LockPlace, files: LockFiles): Promise<string | undefined> {
  let rival: string | undefined;
  try {
    rival = findRival(place, files);
  } catch (error) {
    await claim.release("remove");
    throw error;
  }
  if (rival !== undefined) await claim.release("remove");
  return rival;
}

/** What is known of the one who refuses us: what the rival's file says, else what the place's own files say. */
function findOwner(place: LockPlace, rival: string | undefined): PlacedSighting {
  return rival === undefined ? findLikelyOwner(place) : sightingAt(rival);
}

/** Says whether a living owner listens on the port that its record names. */
async function readOwnerPort(record: LockRecord | null): Promise<"listening" | "silent" | "unknown"> {
  if (record === null || record.host === null || record.port === null) return "unknown";
  // A name would be looked up, perhaps beyond this machine.
  if (isIP(record.host) === 0 && record.host !== "localhost") return "unknown";
  if (judgeOwner(record).verdict !== "alive") return "unknown";
  return probeListener(record.host, record.port);
}

async function heldError(place: LockPlace, waitedMs: number, rival: string | undefined): Promise<GatewayLockError> {
  const { path, record } = findOwner(place, rival);
  const owner = record === null ? undefined : judgeOwner(record);
  // Only a pid that was verified is told: in another namespace it is somebody else's.
  const pid = owner?.verdict === "alive" ? owner.pid : findLockHolders(path)[0]?.pid;
  return new GatewayLockError(
    "LOCK_HELD",
    `gateway already running (pid ${pid ?? "unknown"}); lock timeout after ${Math.round(waitedMs)}ms`,
    { ownerPid: pid, hint: await explainOwner(path, record, pid) },
  );
}

async function explainOwner(path: string, record: LockRecord | null, pid: number | undefined): Promise<string> {
  const whereTo = "stop it where it was started, in another container or as another user";
  const howTo = pid === undefined ? whereTo : `stop pid ${pid}`;
  if (record === null) return `The lock ${path} has a holder that wrote no record: wait for it, or ${howTo}.`;
  const age = Date.now() - Date.parse(record.createdAt);
  const since = age >= 0 ? ` for ${Math.round(age / 1_000)} s` : "";
  const url = record.host !== null && record.port !== null ? gatewayUrl(record.host, record.port) : undefined;
  const port = url === undefined ? "no port named" : `${await readOwnerPort(record)} on ${url}`;
  const profile = record.profile === null ? "" : ` of profile ${record.profile}`;
  return `The owner${profile} has held ${path}${since}, ${port}: wait for it, or ${howTo}.`;
}
