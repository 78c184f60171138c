/**
 * The operations that a lease needs from its engine: a few on one key, each atomic there. Types, and the one error. An engine
 * knows nothing of gateways, and the owner of a lease knows nothing of the engine.
 */
import { LockkeeperError } from "../errors.ts";

/** The owner of a key, as the owner described itself. For people, and to recognise our own host. */
export interface LeaseHolder {
  readonly host: string;
  readonly profile: string;
  readonly pid: number;
  /** The owner's run. */
  readonly nonce: string;
  /** ISO 8601, by the owner's wall clock. */
  readonly since: string;
  readonly bootId: string | null;
  /** The owner's lock directory as the kernel numbers it; with the boot id it names one directory of one host. */
  readonly lockId: string | null;
}

/** A key with an owner. */
export interface HeldKey {
  /** Null when the content was not written by Lockkeeper. */
  readonly holder: LeaseHolder | null;
  /** The lease that the key belongs to; null when it never expires. */
  readonly leaseId: string | null;
  /** Changes whenever the key does. A whole number that only grows, as text. */
  readonly revision: string;
}

/** The result of an attempt to own a key. A `token` is a whole number, as text; every later owner's is greater. */
export type LeaseClaim =
  | { readonly claimed: true; readonly token: string }
  | { readonly claimed: false; readonly by: HeldKey }
  /** The lease ran out before the claim reached the engine. */
  | { readonly claimed: false; readonly by: null };

/** One engine. Every operation ends by itself within the time of its endpoints, or when `signal` aborts. */
export interface LeaseStore {
  /** Returns the id of a new lease that runs out `ttlSeconds` after the engine heard of it, unless renewed. */
  grant(ttlSeconds: number, signal?: AbortSignal): Promise<string>;
  /**
   * Claims `key` with the lease when it has no owner, or when it is unchanged since revision `over`. Asking again after a lost
   * answer is harmless: a key that is ours already counts as claimed.
   */
  claim(key: string, holder: LeaseHolder, leaseId: string, over?: string, signal?: AbortSignal): Promise<LeaseClaim>;
  /** Restarts the lease's time. `gone`: it has run out or was given back, and its keys may have another owner. */
  renew(leaseId: string, signal?: AbortSignal): Promise<"renewed" | "gone">;
  /** Gives the lease back; its keys are free at once. Harmless twice. */
  release(leaseId: string, signal?: AbortSignal): Promise<void>;
  /** Returns who owns `key`, or undefined. */
  read(key: string, signal?: AbortSignal): Promise<HeldKey | undefined>;
  /** Returns how long the lease lasts without another renewal, in milliseconds; undefined when it is gone. */
  timeLeft(leaseId: string, signal?: AbortSignal): Promise<number | undefined>;
}

/** The engine cannot be reached, or refuses us. */
export class LeaseUnavailableError extends LockkeeperError {
  override readonly name: string = "LeaseUnavailableError";
  /** `refused`: it answers and says no (user, password, role, certificate), so asking again is pointless. */
  readonly kind: "silent" | "refused";

  constructor(kind: "silent" | "refused", message: string, evidence: readonly string[], hint: string) {
    super("LEASE_UNAVAILABLE", message, { evidence, hint });
    this.kind = kind;
  }
}
