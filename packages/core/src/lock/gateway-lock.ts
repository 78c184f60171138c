/**
 * The gateway lock: at most one owner of a config, whoever dies at whatever moment. Hides the claim by the kernel, the
 * waiting, the record, the port probe and the watch over the file. Invariants: an owner that the kernel confirms is never
 * displaced; nothing is decided by a pid alone or by age; a leftover never blocks and needs no hand to delete it; only
 * what is ours is removed. For keepers, embedding authors, and whoever must own a config for a while.
 */
import { randomUUID } from "node:crypto";

import { GatewayLockError } from "../errors.ts";
import { gatewayUrl } from "../host/address.ts";
import { probePort } from "../host/probe-port.ts";
import { ownIdentity } from "../host/process-identity.ts";
import type { Claim } from "./claim.ts";
import { MECHANISMS } from "./lock-claim.ts";
import { sweepLockFile } from "./lock-inspection.ts";
import { explainReclaim } from "./lock-owner.ts";
import { ensureLockDirectory, lockPathFor } from "./lock-path.ts";
import type { LockMechanism, LockRecord, LockedGateway } from "./lock-record.ts";
import { formatLockRecord } from "./lock-record.ts";
import { ownNetworkNamespace } from "./socket-lock.ts";
import { claimInTime } from "./lock-wait.ts";
import { watchClaim } from "./lock-watch.ts";

export type { LockInspection, LockPlace } from "./lock-inspection.ts";
export { inspectGatewayLock, sweepGatewayLock } from "./lock-inspection.ts";
export { lockPathFor } from "./lock-path.ts";

const DEFAULTS = {
  timeoutMs: 5_000,
  /** How long the listener of an owner that was taken over from may outlive its lock. */
  dyingMs: 300,
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

/** Lets the claim go again when somebody listens on the port. */
async function refuseTakenPort(claim: Claim, host: string, port: number): Promise<void> {
  // The owner that we took over from may still be dying: the kernel closes its descriptors one by one.
  const deadline = performance.now() + (claim.previous === undefined ? 0 : DEFAULTS.dyingMs);
  let probe: Awaited<ReturnType<typeof probePort>>;
  try {
    do probe = await probePort(host, port);
    while (probe.verdict === "taken" && performance.now() < deadline);
  } catch (error) {
    await claim.release("remove");
    throw error;
  }
  if (probe.verdict !== "taken") return;
  await claim.release("remove");
  const message = `another gateway instance is already listening on ${gatewayUrl(host, port)}`;
  throw new GatewayLockError("PORT_IN_USE", message, {
    hint: "Stop the process that holds the port, or choose another port.",
  });
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
