/**
 * The gateway lock: at most one owner of a config, whoever dies at whatever moment. Hides the claim by the kernel, the
 * waiting, the record, the port probe and the watch over the file. Invariants: an owner that the kernel confirms is never
 * displaced; nothing is decided by a pid alone or by age; a leftover never blocks and needs no hand to delete it; only
 * what is ours is removed. For keepers, embedding authors, and whoever must own a config for a while.
 */
import { randomUUID } from "node:crypto";
import { isIP } from "node:net";

import { GatewayLockError, LockkeeperError } from "../errors.ts";
import { gatewayUrl } from "../gateway/gateway-url.ts";
import { probeListener, probePort } from "../host/probe-port.ts";
import { ownIdentity } from "../host/process-identity.ts";
import type { Claim } from "./lock-claim.ts";
import { MECHANISMS, tryClaim } from "./lock-claim.ts";
import { readLockRecord, sweepLockFile } from "./lock-inspection.ts";
import { explainReclaim, findDescriptorHolders, judgeOwner } from "./lock-owner.ts";
import { ensureLockDirectory, lockPathFor } from "./lock-path.ts";
import type { LockMechanism, LockRecord, LockedGateway } from "./lock-record.ts";
import { formatLockRecord } from "./lock-record.ts";
import { ownNetworkNamespace } from "./socket-lock.ts";
import { watchClaim } from "./lock-watch.ts";

export type { LockInspection, LockPlace } from "./lock-inspection.ts";
export { inspectGatewayLock, sweepGatewayLock } from "./lock-inspection.ts";
export { lockPathFor } from "./lock-path.ts";

const DEFAULTS = {
  timeoutMs: 5_000,
  /** The least wait, whatever `timeoutMs` says: a sweep or another starter's probe holds the lock for less. */
  leastWaitMs: 50,
  /** At first a refused starter looks again this often: it is what a takeover after a SIGKILL takes. */
  eagerPauseMs: 2,
  eagerForMs: 1_000,
  patientPauseMs: 15,
  /** How often the owner that we wait for is looked at, to fail fast once it listens. */
  ownerLookMs: 100,
};

/** What {@link acquireGatewayLock} needs to know. */
export interface GatewayLockOptions {
  /** The directory of the lock file; created with mode 0700. Must be private and on a local disk. */
  readonly lockDir: string;
  /** The configuration that is owned; need not exist. Every path that leads to it means the same lock. */
  readonly configPath: string;
  /** With `port`: probed once the lock is had, and written into the record. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Written into the record, for the person who asks who holds the lock. */
  readonly profile?: string | undefined;
  /** How long to wait, in all, for an owner that is starting or stopping. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told once, in one line, why a leftover was taken over. */
  readonly onReclaim?: ((reason: string) => void) | undefined;
}

/** What an owner may tell about itself after it took the lock. */
export interface GatewayLockUpdate {
  readonly host?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly gateway?: LockedGateway | null | undefined;
}

/** A held lock. */
export interface GatewayLock {
  readonly path: string;
  readonly record: LockRecord;
  /** The lock file's descriptor: a child that is given it keeps the lock alive when we are gone. */
  readonly fd: number;
  /** Aborts when the lock was lost to somebody else; its reason is a {@link GatewayLockError} LOCK_LOST. Then stop serving. */
  readonly lost: AbortSignal;
  /** Rewrites the record in place. Nothing happens after `release`. */
  update(patch: GatewayLockUpdate): void;
  /**
   * Removes the lock file and lets the lock go. While a child that was given the descriptor lives, the lock stays its own
   * and so does the file. Harmless twice.
   */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * On return we own the config: no other living process holds its lock, and (with `host` and `port`) nobody listened there a
 * moment ago. A leftover of dead owners is taken over silently.
 *
 * @throws {GatewayLockError} LOCK_HELD when an owner keeps the lock for `timeoutMs`; at once when it listens already.
 * @throws {GatewayLockError} PORT_IN_USE when somebody else listens on `host:port`; the lock is let go again.
 * @throws {GatewayLockError} LOCK_UNSUPPORTED when the host offers no safe lock.
 * @throws {LockkeeperError} UNSAFE_PATH when the directory or the file is not safely ours.
 * @throws {LockkeeperError} ABORTED when `signal` aborts first; file errors with path and errno.
 */
export function acquireGatewayLock(options: GatewayLockOptions): Promise<GatewayLock> {
  return acquireGatewayLockBy(MECHANISMS, options);
}

/** {@link acquireGatewayLock} with the mechanisms to choose from: for the tests of the fallback. */
export async function acquireGatewayLockBy(
  mechanisms: readonly LockMechanism[],
  options: GatewayLockOptions,
): Promise<GatewayLock> {
  const { lockDir, configPath, host, port, timeoutMs = DEFAULTS.timeoutMs, signal } = options;
  refuseWrongOptions(options, timeoutMs);
  refuseAborted(signal, configPath);
  ensureLockDirectory(lockDir);
  const path = lockPathFor(lockDir, configPath);
  const describe = describeOwner(options);
  const claim = await claimInTime(path, describe, { mechanisms, timeoutMs, signal });
  if (claim.previous !== undefined) options.onReclaim?.(`took over ${path}: ${explainReclaim(claim.previous)}`);
  if (host !== undefined && port !== undefined && port !== 0) {
    await refuseTakenPort(claim, host, port);
  }
  return new HeldGatewayLock(path, claim, describe(claim.mechanism));
}

class HeldGatewayLock implements GatewayLock {
  readonly path: string;
  readonly #claim: Claim;
  readonly #lost = new AbortController();
  readonly #watch: { stop(): void };
  #record: LockRecord;
  /** Whether somebody asked for the descriptor, so that a child may share the lock. */
  #isShared = false;
  #released: Promise<void> | undefined;

  constructor(path: string, claim: Claim, record: LockRecord) {
    this.path = path;
    this.#claim = claim;
    this.#record = record;
    this.#watch = watchClaim({
      path,
      claim,
      record: () => formatLockRecord(this.#record),
      onLost: (reason) => this.#lost.abort(reason),
    });
  }

  get record(): LockRecord {
    return this.#record;
  }

  get fd(): number {
    this.#isShared = true;
    return this.#claim.fd;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  update(patch: GatewayLockUpdate): void {
    if (this.#released !== undefined) return;
    const { host, port, gateway } = this.#record;
    this.#record = {
      ...this.#record,
      host: patch.host === undefined ? host : patch.host,
      port: patch.port === undefined ? port : patch.port,
      gateway: patch.gateway === undefined ? gateway : pickIdentity(patch.gateway),
    };
    this.#claim.write(formatLockRecord(this.#record));
  }

  release(): Promise<void> {
    this.#released ??= this.#letGo();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #letGo(): Promise<void> {
    this.#watch.stop();
    // Only the kernel's lock can be shared.
    if (!this.#isShared || this.#claim.mechanism === "socket") return this.#claim.release("remove");
    // Removing the file under a child that still holds its lock would let a newcomer lock a fresh one beside it: let our
    // share go first, and remove the file only if the lock can be had then.
    await this.#claim.release("keep");
    sweepLockFile(this.path);
  }
}

interface ClaimTerms {
  readonly mechanisms: readonly LockMechanism[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

async function claimInTime(
  path: string,
  describe: (mechanism: LockMechanism) => LockRecord,
  { mechanisms, timeoutMs, signal }: ClaimTerms,
): Promise<Claim> {
  const startedAt = performance.now();
  let lookAtMs = 0;
  let listened = false;
  for (;;) {
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
    await pause(pauseMs * (0.5 + Math.random()), path, signal);
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
  const heir = owner?.verdict === "alive" ? undefined : findDescriptorHolders(path).find((pid) => pid !== process.pid);
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

async function refuseTakenPort(claim: Claim, host: string, port: number): Promise<void> {
  let probe: Awaited<ReturnType<typeof probePort>>;
  try {
    probe = await probePort(host, port);
  } catch (error) {
    await claim.release("remove");
    throw error;
  }
  if (probe.verdict !== "taken") return;
  await claim.release("remove");
  throw new GatewayLockError(
    "PORT_IN_USE",
    `another gateway instance is already listening on ${gatewayUrl(host, port)}`,
    {
      hint: "Stop the process that holds the port, or choose another port.",
    },
  );
}

/** One owner, described once: the same nonce whichever mechanism will hold the lock. */
function describeOwner(options: GatewayLockOptions): (mechanism: LockMechanism) => LockRecord {
  const nonce = randomUUID().replaceAll("-", "");
  const createdAt = new Date().toISOString();
  return (mechanism) => ({
    v: 1,
    mechanism,
    ...ownIdentity(),
    networkNamespace: mechanism === "socket" ? ownNetworkNamespace() : null,
    nonce,
    profile: options.profile ?? null,
    configPath: options.configPath,
    host: options.host ?? null,
    port: options.port ?? null,
    gateway: null,
    createdAt,
  });
}

function pickIdentity(gateway: LockedGateway | null): LockedGateway | null {
  return gateway === null ? null : { pid: gateway.pid, startTicks: gateway.startTicks };
}

function pause(delayMs: number, path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(aborted(path, signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function refuseAborted(signal: AbortSignal | undefined, path: string): void {
  if (signal?.aborted === true) throw aborted(path, signal);
}

function aborted(path: string, signal: AbortSignal | undefined): LockkeeperError {
  return new LockkeeperError("ABORTED", `aborted while waiting for the gateway lock of ${path}`, {
    cause: signal?.reason,
  });
}

function refuseWrongOptions({ lockDir, configPath, port }: GatewayLockOptions, timeoutMs: number): void {
  for (const [name, path] of Object.entries({ lockDir, configPath })) {
    if (typeof path !== "string" || path === "")
      throw new TypeError(`expected ${name} to be a path, got ${String(path)}`);
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new TypeError(`expected port to be an integer from 0 to 65535, got ${String(port)}`);
  }
  if (!(timeoutMs >= 0)) throw new TypeError(`expected timeoutMs to be 0 or more, got ${String(timeoutMs)}`);
}
