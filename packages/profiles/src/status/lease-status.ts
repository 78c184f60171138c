/**
 * Who owns a profile across hosts, asked of the engine now. Never waits long and never fails: an engine that does not
 * answer makes the owner unknown, and whoever asked still gets everything else.
 */
import { LockkeeperError, readLease } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import type { LeaseStatus, ProfileStatus } from "./profile-status.ts";

/** In all, for a table that people wait for. In milliseconds. */
const BUDGET_MS = 300;

/**
 * Returns the status with what the engine says by now; the same for a profile without a lease.
 *
 * @param timeoutMs @default 300
 */
export async function withLiveLease(
  { owner }: Pick<ProfilesContext, "owner">,
  status: ProfileStatus,
  { lease }: Pick<Manifest, "lease">,
  timeoutMs: number = BUDGET_MS,
): Promise<ProfileStatus> {
  // Whom to ask, and with which file of credentials, is nothing that somebody else's home may tell us.
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

/** How long whoever starts something may have to wait before it is known that the lease can be asked for. In milliseconds. */
const PATIENCE_MS = 3_000;

/** Returns when the engine answers for the profile's lease. Throws what `readLease` throws. */
export async function requireLease({ lease }: Pick<Manifest, "lease">): Promise<void> {
  if (lease !== undefined) await readLease(lease, PATIENCE_MS);
}
