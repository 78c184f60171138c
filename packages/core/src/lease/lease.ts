/**
 * One key owned by a lease, from the claim to the release: renews in time, and says when to end. Invariants: "owned" means
 * that the engine said so and that our clock still allows it; `lost` and `over` are final; nothing is renewed after `release`.
 * Knows nothing of gateways: the caller's gateway must be gone when `over` aborts.
 */
import { pause } from "../pause.ts";
import type { LeaseSettings } from "./lease-settings.ts";
import type { LeaseTimes } from "./lease-deadline.ts";
import { leasePhase } from "./lease-deadline.ts";
import type { HeldKey, LeaseHolder, LeaseStore } from "./lease-store.ts";
import { LeaseUnavailableError } from "./lease-store.ts";

/** What is needed to own a key. */
export interface LeaseClaimant {
  readonly store: LeaseStore;
  readonly settings: LeaseSettings;
  readonly times: LeaseTimes;
  /** What others see about us. */
  readonly holder: LeaseHolder;
  /** Milliseconds on a clock that goes on while the host sleeps. */
  readonly now: () => number;
  /** Called when the key is seen to be free, before it is claimed. */
  readonly onFree?: () => void;
}

const DEFAULTS = {
  /** Pause between a failed renewal and the next try; each try asks every endpoint. */
  retryMs: 250,
  /** A suspended host stops our timers, so the clock is checked this often. */
  lookMs: 200,
  /** How long giving the lease back may take; otherwise it runs out by itself. */
  releaseMs: 2_000,
  /** A key may be released, or a lease may run out, between two requests; then we ask again, this often. */
  claimTries: 3,
};

/**
 * Takes the lease. When another host has it, returns that owner.
 *
 * An owner with our boot id and our lock directory is replaced at once: we hold the kernel's lock in that directory, so that
 * owner is dead.
 *
 * @throws {LeaseUnavailableError} when the engine cannot be asked.
 */
export async function takeLease(claimant: LeaseClaimant, signal: AbortSignal): Promise<Lease | HeldKey> {
  const { store, settings, times, holder, now } = claimant;
  for (let left = DEFAULTS.claimTries; ; left--) {
    const held = await store.read(settings.key, signal);
    if (held !== undefined && !isOurFormer(held.holder, holder)) return held;
    claimant.onFree?.();
    const sentAtMs = now();
    const leaseId = await store.grant(settings.ttlSeconds, signal);
    let isOurs = false;
    try {
      const claim = await store.claim(settings.key, holder, leaseId, held?.revision, signal);
      isOurs = claim.claimed && leasePhase(times, sentAtMs, now()) === "held";
      if (claim.claimed && isOurs) return new Lease(claimant, leaseId, claim.token, sentAtMs);
      if (!claim.claimed && claim.by !== null && !isOurFormer(claim.by.holder, holder)) return claim.by;
    } finally {
      // Also when the answer to the claim was lost: the key may be ours already.
      if (!isOurs) await giveBack(store, leaseId);
    }
    if (left <= 1) {
      const hint = "Look at the load of the cluster and at the way to it.";
      throw new LeaseUnavailableError("silent", "etcd is too slow to take a lease in its time to live", [], hint);
    }
  }
}

function isOurFormer(former: LeaseHolder | null, us: LeaseHolder): boolean {
  return (
    former !== null &&
    us.bootId !== null &&
    us.lockId !== null &&
    former.bootId === us.bootId &&
    former.lockId === us.lockId
  );
}

/** Returns whether the engine has said that the lease is gone. */
async function giveBack(store: LeaseStore, leaseId: string): Promise<boolean> {
  try {
    await store.release(leaseId, AbortSignal.timeout(DEFAULTS.releaseMs));
    return true;
  } catch (error) {
    if (error instanceof LeaseUnavailableError) return false;
    throw error;
  }
}

/** A lease that is ours. */
export class Lease {
  /** A whole number as text; every later owner has a greater one. */
  readonly token: string;
  readonly #claimant: LeaseClaimant;
  readonly #id: string;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  readonly #done = new AbortController();
  readonly #work: Promise<unknown>;
  #sentAtMs: number;
  #gone: string | undefined;
  #trouble: string | undefined;
  #onChange: (() => void) | undefined;

  constructor(claimant: LeaseClaimant, id: string, token: string, sentAtMs: number) {
    this.#claimant = claimant;
    this.#id = id;
    this.token = token;
    this.#sentAtMs = sentAtMs;
    this.#work = Promise.all([this.#renew(), this.#watch()]);
  }

  /** Aborts when the gateway should begin to end; it may take until {@link over}. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Aborts when no process of the gateway may live any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether the lease is certain at this moment. */
  get isHeld(): boolean {
    return this.#look() === "held" && !this.#lost.signal.aborted;
  }

  /** When it is over without another renewal, on the claimant's clock. */
  get endsAtMs(): number {
    return this.#gone === undefined ? this.#sentAtMs + this.#claimant.times.endAfterMs : 0;
  }

  /** Why renewing fails, or why the lease is lost; undefined when all is well. */
  get trouble(): string | undefined {
    return this.#gone ?? this.#trouble;
  }

  /** Has `listener` called after each renewal, and when {@link trouble} comes or goes. */
  listen(listener: () => void): void {
    this.#onChange = listener;
  }

  /**
   * Stops renewing and, unless told not to, gives the lease back. The key is free when this returns true, otherwise when the
   * lease has run out. Do not give it back while a process of the gateway lives. Harmless twice.
   */
  async release(giveItBack: boolean = true): Promise<boolean> {
    this.#onChange = undefined;
    this.#done.abort();
    await this.#work;
    if (this.#gone !== undefined) return true;
    return giveItBack && giveBack(this.#claimant.store, this.#id);
  }

  async #renew(): Promise<void> {
    const { store, times, now } = this.#claimant;
    const { signal } = this.#done;
    while (!signal.aborted && !this.#over.signal.aborted) {
      const dueMs = this.#sentAtMs + times.renewAfterMs - now();
      await pause(Math.max(dueMs, this.#trouble === undefined ? 0 : DEFAULTS.retryMs), signal);
      if (signal.aborted) return;
      const sentAtMs = now();
      try {
        if ((await store.renew(this.#id, signal)) === "gone") this.#gone = "etcd says that it has run out";
        else this.#sentAtMs = sentAtMs;
        this.#trouble = undefined;
      } catch (error) {
        if (!(error instanceof LeaseUnavailableError)) throw error;
        this.#trouble = error.message;
      }
      this.#look();
      if (!signal.aborted) this.#onChange?.();
    }
  }

  async #watch(): Promise<void> {
    const { times, now } = this.#claimant;
    const { signal } = this.#done;
    while (!signal.aborted && this.#look() !== "over") {
      const boundaries = [times.askAfterMs, times.endAfterMs].map((ms) => this.#sentAtMs + ms - now());
      const next = Math.min(DEFAULTS.lookMs, ...boundaries.filter((ms) => ms > 0));
      await pause(Math.max(1, next), signal);
    }
  }

  #look(): "held" | "doubtful" | "over" {
    const { times, now } = this.#claimant;
    const phase = this.#gone === undefined ? leasePhase(times, this.#sentAtMs, now()) : "over";
    if (this.#over.signal.aborted) return "over";
    if (phase !== "held" && !this.#lost.signal.aborted) this.#lost.abort();
    if (phase === "over") this.#over.abort();
    return phase;
  }
}
