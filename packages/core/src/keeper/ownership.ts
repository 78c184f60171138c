/**
 * Decides whether this host may run the gateway: combines the lease that other hosts see, the last token that the state has
 * seen (`left-token.ts`), and the sentinel. Loaded only for a profile with a lease. The order is fixed: the kernel's lock first
 * (the keeper has it), then the lease, then the sentinel, then a gateway; and back.
 */
import { lstatSync } from "node:fs";
import { hostname } from "node:os";

import { LockkeeperError } from "../errors.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { ownIdentity } from "../host/process-identity.ts";
import { bootTimeMs } from "../lease/boot-clock.ts";
import { readEtcdCredentials } from "../lease/etcd-credentials.ts";
import { EtcdGateway } from "../lease/etcd-gateway.ts";
import { EtcdStore } from "../lease/etcd-store.ts";
import { leaseTimes } from "../lease/lease-deadline.ts";
import type { HeldKey } from "../lease/lease-store.ts";
import { LeaseUnavailableError } from "../lease/lease-store.ts";
import type { LeaseClaimant } from "../lease/lease.ts";
import { Lease, takeLease } from "../lease/lease.ts";
import { PostedSentinel } from "../lease/posted-sentinel.ts";
import { pause } from "../pause.ts";
import type { KeeperLease } from "./keeper-spec.ts";
import { leaveToken } from "./left-token.ts";
import type { RunLease } from "./run-record.ts";

/** The request for ownership, and the callbacks during the wait. */
export interface OwnershipRequest {
  readonly lease: KeeperLease;
  readonly profile: string;
  /** Of the run; the sentinel knows its processes by it. */
  readonly nonce: string;
  readonly lockDir: string;
  /** Whether this keeper has owned the lease before. Then it waits for an engine that does not answer. */
  readonly isAgain: boolean;
  /** Aborts: give up. */
  readonly stop: AbortSignal;
  /** Called when the reason for waiting changes: the owner, as far as known, and a sentence. */
  readonly onStandby: (owner: RunLease | null, reason: string) => void;
  /** Called when renewing begins to fail, with the reason, and with undefined when it works again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

const DEFAULTS = {
  /** How often the key is checked; a planned handover waits for the next check. */
  pollMs: 200,
  /** How long a start without waiting may ask, shared by the endpoints. */
  firstAnswerMs: 4_000,
};

/**
 * Takes the lease and starts a sentinel; waits for both as the request allows. Undefined when `stop` aborted meanwhile.
 *
 * @throws {LockkeeperError} LEASE_HELD, LEASE_UNAVAILABLE, LOCK_UNSUPPORTED, and those of the file of credentials.
 */
export async function obtainOwnership(request: OwnershipRequest): Promise<Ownership | undefined> {
  const { lease, profile, stop, onStandby, isAgain } = request;
  const sentinel = new PostedSentinel(lease.sentinelArgv);
  const gateway = gatewayFor(request);
  const claimant = { ...claimantFor(request, gateway), onFree: () => sentinel.prepare() };
  let isOneCluster = false;
  let isOurs = false;
  let waits = isAgain || lease.whenUnavailable === "wait";
  // A user who is refused at the first attempt will be refused again; later, the users may have changed.
  let wasAnswered = isAgain;
  let told: string | undefined;
  const tell = (owner: RunLease | null, reason: string): void => {
    if (reason !== told) onStandby(owner, reason);
    told = reason;
  };
  try {
    while (!stop.aborted) {
      try {
        const limit = waits ? stop : withinMs(DEFAULTS.firstAnswerMs, stop);
        if (!isOneCluster) await gateway.requireOneCluster(limit);
        const taken = await takeLease(claimant, limit);
        isOneCluster = true;
        wasAnswered = true;
        if (taken instanceof Lease) {
          const ownership = await begin(request, taken, sentinel, gateway.cluster);
          isOurs = true;
          return ownership;
        }
        waits = true;
        const owner = describeOwner(taken);
        const whose = `${owner?.owner ?? "an unknown owner"} owns it${sinceText(owner)}`;
        if (lease.whenHeld === "fail") throw held(profile, owner, lease);
        tell(owner, whose);
      } catch (error) {
        if (stop.aborted) return undefined;
        const isFinal = !waits || (!wasAnswered && error instanceof LeaseUnavailableError && error.kind === "refused");
        if (!(error instanceof LeaseUnavailableError) || isFinal) throw error;
        tell(null, error.message);
      }
      await pause(DEFAULTS.pollMs, stop);
    }
    return undefined;
  } finally {
    if (!isOurs) sentinel.dismiss();
  }
}

/** Aborts after `ms`, or with `signal`. */
function withinMs(ms: number, signal: AbortSignal): AbortSignal {
  const over = new AbortController();
  void pause(ms, signal).then(() => over.abort());
  return over.signal;
}

function gatewayFor({ lease: { settings }, profile }: OwnershipRequest): EtcdGateway {
  if (process.platform !== "linux") {
    throw new LockkeeperError("LOCK_UNSUPPORTED", "a lease needs Linux: its clock and its process table", {
      hint: `lockkeeper edit ${profile} --unset lease`,
    });
  }
  const { credentialsFile, endpoints, ttlSeconds } = settings;
  const credentials = credentialsFile === undefined ? {} : readEtcdCredentials(credentialsFile);
  const attemptMs = Math.min(leaseTimes(ttlSeconds).attemptMs, DEFAULTS.firstAnswerMs / endpoints.length);
  return new EtcdGateway({ endpoints, credentials, attemptMs });
}

function claimantFor({ lease, profile, nonce, lockDir }: OwnershipRequest, gateway: EtcdGateway): LeaseClaimant {
  const { settings } = lease;
  const { pid, bootId } = ownIdentity();
  const { dev, ino } = lstatSync(lockDir, { bigint: true });
  const since = new Date().toISOString();
  return {
    store: new EtcdStore(gateway),
    settings,
    times: leaseTimes(settings.ttlSeconds),
    holder: { host: hostname(), profile, pid, nonce, since, bootId, lockId: `${dev}:${ino}` },
    now: bootTimeMs,
  };
}

async function begin(
  request: OwnershipRequest,
  lease: Lease,
  sentinel: PostedSentinel,
  cluster: string | undefined,
): Promise<Ownership> {
  const { nonce } = request;
  try {
    await leaveToken(request, lease.token, cluster);
    await sentinel.post({ nonce, leader: null, endsAtMs: lease.endsAtMs, asked: false });
    return new Ownership(request, lease, sentinel);
  } catch (error) {
    await lease.release();
    throw error;
  }
}

function describeOwner({ holder }: HeldKey): RunLease | null {
  return holder === null ? null : { owner: holder.host, since: holder.since, token: null };
}

function sinceText(owner: RunLease | null): string {
  const at = new Date(owner?.since ?? Number.NaN);
  if (Number.isNaN(at.getTime())) return "";
  const [date = "", time = ""] = at.toISOString().split("T");
  const day = date === new Date().toISOString().slice(0, 10) ? "" : `${date} `;
  return ` since ${day}${time.slice(0, 5)} UTC`;
}

function held(profile: string, owner: RunLease | null, { settings }: KeeperLease): LockkeeperError {
  const who = owner?.owner ?? "an unknown owner";
  return new LockkeeperError("LEASE_HELD", `${profile} is owned by ${who}${sinceText(owner)}`, {
    evidence: [`key ${settings.key} at ${settings.endpoints.join(", ")}`],
    hint: `It is handed over by this command on ${who}: lockkeeper stop ${profile}`,
  });
}

/** The lease and the sentinel of one run. */
export class Ownership {
  readonly #lease: Lease;
  readonly #sentinel: PostedSentinel;
  readonly #since = new Date().toISOString();
  readonly #lost = new AbortController();

  constructor({ onTrouble }: OwnershipRequest, lease: Lease, sentinel: PostedSentinel) {
    this.#lease = lease;
    this.#sentinel = sentinel;
    for (const signal of [lease.lost, sentinel.failed]) signal.addEventListener("abort", () => this.#lost.abort());
    let told: string | undefined;
    lease.listen(() => {
      sentinel.update({ endsAtMs: lease.endsAtMs });
      const { trouble } = lease;
      if ((trouble === undefined) !== (told === undefined)) onTrouble(trouble);
      told = trouble;
    });
  }

  /** Aborts when the gateway should end. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Aborts when no process of the gateway may live any more. */
  get over(): AbortSignal {
    return this.#lease.over;
  }

  /** Decided by the clock, because timers may be late. */
  get isHeld(): boolean {
    return this.#lease.isHeld && !this.#lost.signal.aborted;
  }

  /** Why it was lost, in words. */
  get reason(): string {
    if (this.#sentinel.failed.aborted) return "no sentinel could be kept";
    return this.#lease.trouble ?? "it was not renewed in time";
  }

  /** The published part. */
  get record(): RunLease {
    return { owner: hostname(), since: this.#since, token: this.#lease.token };
  }

  /** The token with which the gateway marks its writes. */
  get env(): Readonly<Record<string, string>> {
    return { LOCKKEEPER_LEASE_TOKEN: this.#lease.token };
  }

  /** Tells the sentinel which gateway to guard; without one, only the nonce. */
  guard(leader: ProcessIdentity | null): void {
    this.#sentinel.update({ leader, asked: false });
  }

  /** The gateway is being asked to end: the sentinel must not ask again. */
  noteAsked(): void {
    this.#sentinel.update({ asked: true });
  }

  /**
   * Gives the lease back; true when the key is free, false when it runs out by itself. With `alive`, a process of the run may
   * still live: then the lease is not given back, and the sentinel stays until the lease is over.
   */
  async release(alive: boolean): Promise<boolean> {
    const isFree = await this.#lease.release(!alive);
    this.#sentinel.dismiss(alive);
    return isFree;
  }
}
