/**
 * The gateway lock: at most one owner of a config, even if a process dies at any moment. Hides the kernel's lock, the waiting,
 * the record, the port probe and the watch over the file. Invariants: an owner that the kernel confirms is never displaced;
 * nothing is decided by a pid alone or by age; a leftover never blocks and need not be deleted by hand; only our own files are
 * removed. For keepers, embedding authors, and any code that must own a config for a while.
 */
import type { GatewayLockError } from "../errors.ts";
import { portInUse } from "../host/port-in-use.ts";
import { probePort } from "../host/probe-port.ts";
import { isIntegerFrom, isPath, optionCheck, refuseUnknownOptions } from "../wrong-options.ts";
import { pause } from "../pause.ts";
import type { Claim } from "./mechanism/claim.ts";
import { MECHANISMS } from "./mechanism/try-claim.ts";
import { sweepLockFile } from "./sweep.ts";
import { describeSelf, explainReclaim } from "./lock-owner.ts";
import type { LockFiles, LockPlace } from "./lock-path.ts";
import { ensureLockDirectory, lockFilesFor } from "./lock-path.ts";
import type { LockMechanism, LockRecord, LockedGateway } from "./lock-record.ts";
import { formatLockRecord } from "./lock-record.ts";
import { claimInTime } from "./lock-wait.ts";
import { watchClaim } from "./lock-watch.ts";

export { lockPathFor } from "./lock-path.ts";

const DEFAULTS = {
  timeoutMs: 5_000,
  /** How long a dead owner's listener may outlive its lock. */
  dyingMs: 300,
  /** How often it is checked meanwhile. */
  dyingLookMs: 10,
};

/** Options of {@link acquireGatewayLock}. */
export interface GatewayLockOptions extends LockPlace {
  /** The directory of the lock file; created with mode 0700. Must be private and on a local disk. */
  readonly lockDir: string;
  /** With `port`: probed once we have the lock, and written into the record. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Written into the record, for people who ask who holds the lock. */
  readonly profile?: string | undefined;
  /** How long to wait, in all, for an owner that is starting or stopping. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once, with one line that says why a leftover was taken over. */
  readonly onReclaim?: ((reason: string) => void) | undefined;
}

const KNOWN_OPTIONS: Readonly<Record<keyof GatewayLockOptions, true>> = {
  lockDir: true,
  configPath: true,
  scope: true,
  host: true,
  port: true,
  profile: true,
  timeoutMs: true,
  signal: true,
  onReclaim: true,
};

/** Facts that an owner may add after it took the lock. */
export interface GatewayLockUpdate {
  readonly host?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly gateway?: LockedGateway | null | undefined;
}

/** A held lock. */
export interface GatewayLock {
  readonly path: string;
  readonly record: LockRecord;
  /** The lock file's descriptor: a child that inherits it keeps the lock alive after we have ended. */
  readonly fd: number;
  /** Aborts when the lock was lost to another process; its reason is a {@link GatewayLockError} LOCK_LOST. Then stop serving. */
  readonly lost: AbortSignal;
  /** Rewrites the record in place. Nothing happens after `release`. */
  update(patch: GatewayLockUpdate): void;
  /**
   * Removes the lock file and releases the lock. While a child with the descriptor lives, it keeps the lock and the file.
   * Harmless twice.
   */
  release(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * On return we own the config: no other living process holds its lock, and (with `host` and `port`) there was no listener a
 * moment ago. A leftover of dead owners is taken over silently.
 *
 * @throws {GatewayLockError} LOCK_HELD when an owner keeps the lock for `timeoutMs`; at once when it listens already.
 * @throws {GatewayLockError} PORT_IN_USE when another process listens on `host:port`; the lock is released again.
 * @throws {GatewayLockError} LOCK_UNSUPPORTED when the host offers no safe lock.
 * @throws {LockkeeperError} UNSAFE_PATH when the directory or the file is not safely ours.
 * @throws {LockkeeperError} ABORTED when `signal` aborts first; file errors with path and errno.
 * @throws {TypeError} for an unknown option, naming the nearest, and for a wrong value.
 */
export function acquireGatewayLock(options: GatewayLockOptions): Promise<GatewayLock> {
  return acquireGatewayLockBy(MECHANISMS, options);
}

/** {@link acquireGatewayLock} with a choice of mechanisms: for the tests of the fallback. */
export async function acquireGatewayLockBy(
  mechanisms: readonly LockMechanism[],
  options: GatewayLockOptions,
): Promise<GatewayLock> {
  refuseWrongOptions(options);
  const { lockDir, host, port, timeoutMs = DEFAULTS.timeoutMs, signal } = options;
  ensureLockDirectory(lockDir);
  const files = lockFilesFor(options);
  const describe = describeSelf(options);
  const claim = await claimInTime(options, describe, { files, mechanisms, timeoutMs, signal });
  const { previous } = claim;
  try {
    if (previous !== undefined) options.onReclaim?.(`took over ${files.path}: ${explainReclaim(previous)}`);
    if (host !== undefined && port !== undefined && port !== 0) await refuseTakenPort(host, port, previous);
    return new HeldGatewayLock(files, claim, describe(claim.mechanism));
  } catch (error) {
    await claim.release("remove");
    throw error;
  }
}

class HeldGatewayLock implements GatewayLock {
  readonly path: string;
  readonly #files: LockFiles;
  readonly #claim: Claim;
  /** Created at its first use; most short owners never use it. */
  #lost: AbortController | undefined;
  #lossReason: GatewayLockError | undefined;
  readonly #watch: { stop(): void };
  #record: LockRecord;
  /** Whether the descriptor was read, so that a child may share the lock. */
  #isShared = false;
  #released: Promise<void> | undefined;

  constructor(files: LockFiles, claim: Claim, record: LockRecord) {
    this.path = files.path;
    this.#files = files;
    this.#claim = claim;
    this.#record = record;
    this.#watch = watchClaim({
      path: files.path,
      claim,
      record: () => formatLockRecord(this.#record),
      onLost: (reason) => {
        this.#lossReason = reason;
        this.#lost?.abort(reason);
      },
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
    if (this.#lost === undefined) {
      this.#lost = new AbortController();
      if (this.#lossReason !== undefined) this.#lost.abort(this.#lossReason);
    }
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
    // If we removed the file under a child that still holds its lock, a newcomer could lock a new file beside it. So we
    // release our share first, and remove the file only if the lock is granted then.
    await this.#claim.release("keep");
    for (const path of new Set([this.#files.path, this.#files.earlierPath])) sweepLockFile(path);
  }
}

/** After a takeover, wait for the old owner's listener to close: the kernel closes a dying owner's descriptors one by one. */
async function refuseTakenPort(host: string, port: number, from: Claim["previous"]): Promise<void> {
  const deadline = performance.now() + (from === undefined ? 0 : DEFAULTS.dyingMs);
  while ((await probePort(host, port)).verdict === "taken") {
    if (performance.now() < deadline) {
      await pause(DEFAULTS.dyingLookMs);
      continue;
    }
    throw portInUse(host, port);
  }
}

function pickIdentity(gateway: LockedGateway | null): LockedGateway | null {
  return gateway === null ? null : { pid: gateway.pid, startTicks: gateway.startTicks };
}

function refuseWrongOptions(options: GatewayLockOptions): void {
  refuseUnknownOptions("acquireGatewayLock", options, KNOWN_OPTIONS);
  const { lockDir, configPath, scope, port, timeoutMs } = options;
  const expect = optionCheck("acquireGatewayLock");
  expect("lockDir", lockDir, "a path", isPath);
  expect("configPath", configPath, "a path", isPath);
  expect("port", port, "an integer from 0 to 65535", (given) => given === undefined || isIntegerFrom(0, given, 65_535));
  expect("scope", scope, '"config" or "directory"', (given) => SCOPES.includes(given));
  expect(
    "timeoutMs",
    timeoutMs,
    "0 or more",
    (given) => given === undefined || (typeof given === "number" && given >= 0),
  );
}

const SCOPES: readonly unknown[] = [undefined, "config", "directory"];
