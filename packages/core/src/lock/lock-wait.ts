/**
 * Waits for the gateway lock within a deadline: how often to try, when trying is pointless, and what to say about the owner
 * then. There is no wait for a confirmed owner that listens; for a silent one the wait lasts until the deadline.
 */
import { isIP } from "node:net";

import { GatewayLockError, throwIfAborted } from "../errors.ts";
import { gatewayUrl } from "../host/address.ts";
import { findLockHolders } from "../host/lock-holders.ts";
import { readyLockList } from "../host/lock-list-readiness.ts";
import { probeListener } from "../host/probe-port.ts";
import { isInOwnNamespace } from "../host/process-identity.ts";
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
  /** The shortest wait, whatever `timeoutMs` says: a sweep or another starter's probe holds the lock for less time. */
  leastWaitMs: 50,
  /**
   * A refused starter tries again after this part of the time that it has waited, within these limits: this decides how long a
   * takeover after SIGKILL takes. A try and its timer take about 0.1 ms of computing time.
   */
  pausePerWait: 0.0005,
  shortestPauseMs: 1,
  longestPauseMs: 15,
  /** How often the owner is checked during the wait, to fail fast once it listens. */
  ownerLookMs: 100,
};

/** The record and the deadline of {@link claimInTime}. */
export interface ClaimTerms {
  /** The files of the place. */
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
      // Checked twice in a row, because an owner that was just killed still lives and listens for some milliseconds.
      if (listens && listened) throw await heldError(place, performance.now() - startedAt, rival);
      listened = listens;
      lookAtMs = elapsedMs + DEFAULTS.ownerLookMs;
    }
    // With the lock in hand we must read the kernel's list before we own it.
    readyLockList();
    // Jitter, so that starters refused together do not stay in step. A try that gives way to a rival writes and removes files.
    const pauseMs = rival === undefined ? pauseAfter(elapsedMs) : DEFAULTS.longestPauseMs;
    await pause(pauseMs * (0.5 + Math.random()), signal);
  }
}

function pauseAfter(waitedMs: number): number {
  const { pausePerWait, shortestPauseMs, longestPauseMs } = DEFAULTS;
  return Math.min(Math.max(waitedMs * pausePerWait, shortestPauseMs), longestPauseMs);
}

/** When another owner has a rival file of what we have just claimed, releases the claim and returns that file. */
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

/** What is known about the owner that refuses us: from the rival's file, else from the place's own files. */
function findOwner(place: LockPlace, rival: string | undefined): PlacedSighting {
  return rival === undefined ? findLikelyOwner(place) : sightingAt(rival);
}

/** Says whether a living owner listens on the port that its record names. */
async function readOwnerPort(record: LockRecord | null): Promise<"listening" | "silent" | "unknown"> {
  if (record === null || record.host === null || record.port === null) return "unknown";
  // A name would need a look-up, perhaps beyond this machine.
  if (isIP(record.host) === 0 && record.host !== "localhost") return "unknown";
  if (judgeOwner(record).verdict !== "alive") return "unknown";
  return probeListener(record.host, record.port);
}

async function heldError(place: LockPlace, waitedMs: number, rival: string | undefined): Promise<GatewayLockError> {
  const { path, record } = findOwner(place, rival);
  const owner = record === null ? undefined : judgeOwner(record);
  // Only a verified pid is shown: in another namespace the number means another process.
  const holder = owner?.verdict === "alive" ? undefined : findLockHolders(path)[0];
  const pid = owner?.verdict === "alive" ? owner.pid : holder?.pid;
  // A host sees what its containers run, but a container may start it again: it must be stopped there.
  const isElsewhere = holder !== undefined && !isInOwnNamespace(holder.pid);
  return new GatewayLockError(
    "LOCK_HELD",
    `gateway already running (pid ${pid ?? "unknown"}); lock timeout after ${Math.round(waitedMs)}ms`,
    { ownerPid: pid, hint: await explainOwner(path, record, isElsewhere ? undefined : pid) },
  );
}

async function explainOwner(path: string, record: LockRecord | null, pid: number | undefined): Promise<string> {
  const whereTo = "stop it where it was started, in another container or as another user";
  const howTo = pid === undefined ? whereTo : `stop pid ${pid}`;
  if (record === null) return `The lock ${path} has a holder that wrote no record: wait for it, or ${howTo}.`;
  const age = Date.now() - Date.parse(record.createdAt);
  const since = age >= 0 ? ` for ${Math.round(age / 1_000)} s` : "";
  const url = record.host !== null && record.port !== null ? gatewayUrl(record.host, record.port) : undefined;
  const state = await readOwnerPort(record);
  const port = url === undefined ? "no port named" : state === "unknown" ? `for ${url}` : `${state} on ${url}`;
  const profile = record.profile === null ? "" : ` of profile ${record.profile}`;
  return `The owner${profile} has held ${path}${since}, ${port}: wait for it, or ${howTo}.`;
}
