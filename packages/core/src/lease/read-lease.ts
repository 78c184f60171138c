/** Reads a lease without claiming it: who owns the key, and for how long. For commands that show it. */
import { readEtcdCredentials } from "./etcd-credentials.ts";
import { EtcdGateway } from "./etcd-gateway.ts";
import { EtcdStore } from "./etcd-store.ts";
import type { LeaseSettings } from "./lease-settings.ts";
import type { LeaseHolder } from "./lease-store.ts";

/** A lease with an owner. */
export interface SeenLease {
  /** Null when it was not written by Lockkeeper. */
  readonly holder: LeaseHolder | null;
  /** How long it lasts without another renewal; null when it does not run out. */
  readonly timeLeftMs: number | null;
}

/**
 * Returns the owner of the lease, or null when there is none.
 *
 * @param timeoutMs in all.
 * @throws {LeaseUnavailableError} when no endpoint answers in that time, or etcd refuses us.
 * @throws {LockkeeperError} those of the file of credentials.
 */
export async function readLease(settings: LeaseSettings, timeoutMs: number): Promise<SeenLease | null> {
  const { endpoints, credentialsFile, key } = settings;
  const credentials = credentialsFile === undefined ? {} : readEtcdCredentials(credentialsFile);
  const store = new EtcdStore(new EtcdGateway({ endpoints, credentials, attemptMs: timeoutMs / endpoints.length }));
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), timeoutMs);
  try {
    const held = await store.read(key, over.signal);
    if (held === undefined) return null;
    const timeLeftMs = held.leaseId === null ? null : await store.timeLeft(held.leaseId, over.signal);
    return timeLeftMs === undefined ? null : { holder: held.holder, timeLeftMs };
  } finally {
    clearTimeout(timer);
  }
}
