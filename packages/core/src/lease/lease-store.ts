/**
 * What a lease needs of the engine that keeps it: a few operations on one key, each of them atomic there. Types, and the
 * one error. An engine knows nothing of gateways, and whoever owns a lease nothing of the engine.
 */
import { LockkeeperError } from "../errors.ts";

/** Who owns a key, as its owner wrote it down. For people, and to know one's own host again. */
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

/** A key that somebody owns. */
export interface HeldKey {
  /** Null when what stands there was not written by us. */
  readonly holder: LeaseHolder | null;
  /** Under which lease it stands; null when it stands for ever. */
  readonly leaseId: string | null;
  /** Changes whenever the key does. A whole number that only grows, as text. */
  readonly revision: string;
}

/** What became of an attempt to own a key. A `token` is a whole number, as text; every later owner's is greater. */
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
   * Owns `key` by the lease, if nobody does, or if it still is as it was at revision `over`. To ask again after a lost
   * answer is harmless: what is ours already is claimed.
   */
  claim(key: string, holder: LeaseHolder, leaseId: string, over?: string, signal?: AbortSignal): Promise<LeaseClaim>;
  /** Starts the lease's time again. `gone`: it has run out, or was given back; its keys may have another owner. */
  renew(leaseId: string, signal?: AbortSignal): Promise<"renewed" | "gone">;
  /** Gives the lease back; its keys are free at once. Harmless twice. */
  release(leaseId: string, signal?: AbortSignal): Promise<void>;
  /** Returns who owns `key`, or undefined. */
  read(key: string, signal?: AbortSignal): Promise<HeldKey | undefined>;
  /** Returns how long the lease lasts if nobody renews it, in milliseconds; undefined when it is gone. */
  timeLeft(leaseId: string, signal?: AbortSignal): Promise<number | undefined>;
}

/** The engine cannot be asked, or does not let us ask. */
export class LeaseUnavailableError extends LockkeeperError {
  override readonly name: string = "LeaseUnavailableError";
  /** `refused`: it answers and says no (user, password, role, certificate), so asking again is no use. */
  readonly kind: "silent" | "refused";

  constructor(kind: "silent" | "refused", message: string, evidence: readonly string[], hint: string) {
    super("LEASE_UNAVAILABLE", message, { evidence, hint });
    this.kind = kind;
  }
}
