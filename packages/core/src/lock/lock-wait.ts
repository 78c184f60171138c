/**
 * Waiting for the gateway lock, with an end: how often to try, when there is no point in trying on, and what to tell about
 * the owner then. An owner that is confirmed and listens is never waited for; one that is silent, to the deadline only.
 * For the gateway lock.
 */
import { isIP } from "node:net";

import { GatewayLockError, LockkeeperError } from "../errors.ts";
import { gatewayUrl } from "../host/address.ts";
import { findLockHolders } from "../host/lock-holders.ts";
import { probeListener } from "../host/probe-port.ts";
import { pause } from "../pause.ts";
import type { Claim } from "./mechanism/claim.ts";
import { tryClaim } from "./mechanism/try-claim.ts";
import { readLockRecord } from "./read-lock-record.ts";
import { judgeOwner } from "./lock-owner.ts";
import type { LockMechanism, LockRecord } from "./lock-record.ts";
import { formatLockRecord } from "./lock-record.ts";

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
  readonly mechanisms: readonly LockMechanism[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Returns the claim as soon as it can be had.
 *
 * @throws {GatewayLockError} LOCK_HELD after `timeoutMs`, or as soon as the owner is seen to listen; and as `tryClaim`.
 * @throws {LockkeeperError} ABORTED when `signal` aborts first.
 */
export async function claimInTime(
  path: string,
  describe: (mechanism: LockMechanism) => LockRecord,
  { mechanisms, timeoutMs, signal }: ClaimTerms,
): Promise<Claim> {
  const startedAt = performance.now();
  let lookAtMs = 0;
  let listened = false;
  for (;;) {
    if (signal?.aborted === true) throw aborted(path, signal);
    const claim = await tryClaim(path, (mechanism) => formatLockRecord(describe(mechanism)), { mechanisms });
    if (claim !== "refused") return claim;
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= Math.max(timeoutMs, DEFAULTS.leastWaitMs)) throw await heldError(path, timeoutMs);
    if (elapsedMs >= lookAtMs) {
      const listens = (await readOwnerPort(path)) === "listening";
      // Twice in a row: an owner that was just killed lives and listens until its last millisecond.
      if (listens && listened) throw await heldError(path, performance.now() - startedAt);
      listened = listens;
      lookAtMs = elapsedMs + DEFAULTS.ownerLookMs;
    }
    const pauseMs = elapsedMs < DEFAULTS.eagerForMs ? DEFAULTS.eagerPauseMs : DEFAULTS.patientPauseMs;
    // Jitter, so that starters that were refused together do not stay in step.
    await pause(pauseMs * (0.5 + Math.random()), signal);
  }
}

/** Says whether a living owner listens on the port that its record names. */
async function readOwnerPort(path: string): Promise<"listening" | "silent" | "unknown"> {
  const { record } = readLockRecord(path);
  if (record === null || record.host === null || record.port === null) return "unknown";
  // A name would be looked up, perhaps beyond this machine.
  if (isIP(record.host) === 0 && record.host !== "localhost") return "unknown";
  if (judgeOwner(record).verdict !== "alive") return "unknown";
  return probeListener(record.host, record.port);
}

async function heldError(path: string, waitedMs: number): Promise<GatewayLockError> {
  const { record } = readLockRecord(path);
  const owner = record === null ? undefined : judgeOwner(record);
  const heir = owner?.verdict === "alive" ? undefined : findLockHolders(path)[0]?.pid;
  const pid = heir ?? owner?.pid;
  return new GatewayLockError(
    "LOCK_HELD",
    `gateway already running (pid ${pid ?? "unknown"}); lock timeout after ${Math.round(waitedMs)}ms`,
    { ownerPid: pid, hint: await explainOwner(path, record, pid) },
  );
}

async function explainOwner(path: string, record: LockRecord | null, pid: number | undefined): Promise<string> {
  if (record === null) return `The lock file ${path} has a holder that wrote no record: wait for it or stop it.`;
  const age = Date.now() - Date.parse(record.createdAt);
  const since = age >= 0 ? ` for ${Math.round(age / 1_000)} s` : "";
  const url = record.host !== null && record.port !== null ? gatewayUrl(record.host, record.port) : undefined;
  const port = url === undefined ? "no port named" : `${await readOwnerPort(path)} on ${url}`;
  const profile = record.profile === null ? "" : ` of profile ${record.profile}`;
  return `The owner${profile} has held ${path}${since}, ${port}: wait for it, or stop pid ${pid ?? record.pid}.`;
}

function aborted(path: string, signal: AbortSignal): LockkeeperError {
  return new LockkeeperError("ABORTED", `aborted while waiting for the gateway lock of ${path}`, {
    cause: signal.reason,
  });
}
