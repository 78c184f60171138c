/**
 * Asks the engine now which host owns a profile. Never waits long and never fails: when the engine does not answer, the owner
 * is unknown and the rest of the status still stands.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { readLease } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import type { LeaseStatus, ProfileStatus } from "./profile-status.ts";

/** The total time for a table that people wait for. */
const BUDGET_MS = 300;

/**
 * Returns the status with the engine's answer; unchanged for a profile without a lease.
 *
 * @param timeoutMs @default 300
 */
export async function withLiveLease(
  { owner }: Pick<ProfilesContext, "owner">,
  status: ProfileStatus,
  { lease }: Pick<Manifest, "lease">,
  timeoutMs: number = BUDGET_MS,
): Promise<ProfileStatus> {
  // Another user's home must not tell us which server to ask and which credentials to use.
  if (lease === undefined || status.lease === null || owner === "any") return status;
  const known: LeaseStatus = status.lease;
  try {
    const seen = await readLease(lease, timeoutMs);
    const holder = seen?.holder ?? null;
    const live = {
      owner: holder?.host ?? (seen === null ? null : "somebody unknown"),
      since: holder?.since ?? null,
      timeLeftMs: seen?.timeLeftMs ?? null,
      unknown: null,
    };
    return { ...status, lease: { ...known, ...live } };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return { ...status, lease: { ...known, unknown: error.message } };
  }
}

/** How long a start may wait for the engine's answer. */
const PATIENCE_MS = 3_000;

/** Returns when the engine answers for the profile's lease. Throws the errors of `readLease`. */
export async function requireLease({ lease }: Pick<Manifest, "lease">): Promise<void> {
  if (lease !== undefined) await readLease(lease, PATIENCE_MS);
}
