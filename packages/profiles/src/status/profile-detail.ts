/** One profile in full, with live answers: what `status` shows beyond `list`. */
import {
  type GatewayExit,
  inspectGatewayLock,
  type Listener,
  type LockInspection,
  readListeners,
  type SparedProcess,
} from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { lockPlace } from "../profile-paths.ts";
import { askHealth } from "./ask-health.ts";
import type { Manifest } from "../manifest.ts";
import { observeProfile, statusOf } from "./observe-profile.ts";
import { isServing } from "./observed-state.ts";
import { hasPendingChange } from "./pending-change.ts";
import type { ProfileStatus } from "./profile-status.ts";
import { stillSpared } from "./run-records.ts";

/** One profile may be waited for longer than a table of many. In milliseconds. */
const leaseTimeoutMs = 1_000;

/** A contract with scripts: fields are added, never renamed or removed. */
export interface ProfileDetail extends ProfileStatus {
  /** The lock's record and what the host says of its owner. */
  readonly lock: LockInspection;
  /** Who listens on the profile's ports; empty where the host does not tell. */
  readonly listeners: readonly Listener[];
  readonly restarts: number;
  readonly lastExit: GatewayExit | null;
  /** Living processes that ends of earlier runs have left alone. */
  readonly spared: readonly SparedProcess[];
  /** Whether what runs has read other settings than the profile has by now; they act from the next start on. */
  readonly pendingChange: boolean;
}

/**
 * Returns the profile in full, its health asked for now. Changes nothing.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export async function profileDetail(context: ProfilesContext, name: string): Promise<ProfileDetail> {
  const observation = observeProfile(context, name);
  const { manifest, observed, record } = observation;
  const status = await withLease(context, statusOf(context, observation), manifest);
  const lock = await inspectGatewayLock(lockPlace(manifest.paths));
  const listeners = readListeners();
  const ours = new Set(Object.values(status.ports));
  return {
    ...status,
    health: isServing(observed) && context.owner !== "any" ? await askHealth(observation, status) : "unknown",
    lock,
    listeners: listeners === "unknown" ? [] : listeners.filter((listener) => ours.has(listener.port)),
    restarts: record?.restarts ?? 0,
    lastExit: record?.lastExit ?? null,
    spared: stillSpared(record),
    pendingChange: hasPendingChange(observation),
  };
}

async function withLease(context: ProfilesContext, status: ProfileStatus, manifest: Manifest): Promise<ProfileStatus> {
  if (manifest.lease === undefined) return status;
  const { withLiveLease } = await import("./lease-status.ts");
  return withLiveLease(context, status, manifest, leaseTimeoutMs);
}
