/**
 * The exit statuses: one table for errors, one for states, one rule for several profiles. The compiler checks that no
 * error code and no state is missing; a contract test ties the tables to docs/cli.md.
 */
import type { ErrorCode, KeeperOutcome } from "@lockkeeper/core";
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfileStatus } from "@lockkeeper/profiles";
import { documented } from "./documented-error.ts";

type State = ProfileStatus["state"];

/** Every error code with its exit status. */
export const ERROR_STATUSES: Readonly<Record<ErrorCode, number>> = {
  // 2: the request itself is wrong
  USAGE: 2,
  PROFILE_NAME_INVALID: 2,
  PORT_INVALID: 2,
  OPTION_INVALID: 2,
  CONFIRMATION_NEEDED: 2,
  // 4: no such profile
  PROFILE_NOT_FOUND: 4,
  // 5: not ready yet
  STILL_STARTING: 5,
  // 65: data on disk is damaged
  REGISTRY_DAMAGED: 65,
  CONFIG_DAMAGED: 65,
  // 73: already exists
  PROFILE_EXISTS: 73,
  // 74: the disk
  DISK_FULL: 74,
  DISK_READ_ONLY: 74,
  IO_FAILED: 74,
  NOT_DURABLE: 74,
  // 77: permission
  UNSAFE_PATH: 77,
  PERMISSION_DENIED: 77,
  // 78: lock or port conflict; a service manager must not try again
  LOCK_HELD: 78,
  LOCK_LOST: 78,
  LOCK_UNSUPPORTED: 78,
  PORT_IN_USE: 78,
  BIND_FAILED: 78,
  PORTS_OVERLAP: 78,
  PORTS_EXHAUSTED: 78,
  DIRECTORY_SHARED: 78,
  SET_CONFLICT: 78,
  LEASE_HELD: 78,
  LEASE_UNAVAILABLE: 78,
  MANAGER_UNREACHABLE: 78,
  UNIT_CONFLICT: 78,
  // 1: it was tried and failed
  PROFILE_RUNNING: 1,
  COMMAND_NOT_FOUND: 1,
  GATEWAY_EXITED: 1,
  GATEWAY_UNHEALTHY: 1,
  LISTENER_MISMATCH: 1,
  HELD_BACK: 1,
  STOP_INCOMPLETE: 1,
  RECORD_UNVERIFIED: 1,
  MUTEX_TIMEOUT: 1,
  MANAGER_REFUSED: 1,
  ABORTED: 1,
};

const OF_STATE: Readonly<Record<State, number>> = {
  running: 0,
  starting: 5,
  standby: 3,
  stopped: 3,
  stopping: 3,
  failed: 3,
  blocked: 3,
  unresponsive: 3,
  orphaned: 3,
  external: 3,
};

/** How `run` ends. */
const OF_OUTCOME: Readonly<Record<KeeperOutcome["outcome"], number>> = {
  stopped: 0,
  "left-in-control": 0,
  failed: 1,
  blocked: ERROR_STATUSES.PORT_IN_USE,
};

/** The status of a command on several profiles: the first of these that applies. */
const PRECEDENCE: readonly number[] = [1, 74, 65, 77, 78, 73, 5, 4, 2, 3];

/** Returns the exit status of an error; 1 for anything that is not one of ours. */
export function statusOfError(error: unknown): number {
  const known = documented(error);
  return known instanceof LockkeeperError ? ERROR_STATUSES[known.code] : 1;
}

/** Returns the exit status with which `status` answers for a profile in that state. */
export function statusOfState(state: State): number {
  return OF_STATE[state];
}

/**
 * Returns the exit status with which `run` answers. A refused lease is a conflict like that of a port, and another start does
 * not help a gateway that was restarted again and again for its memory or its silence: a service manager must not try again.
 */
export function statusOfRun(outcome: KeeperOutcome["outcome"], code: string | null): number {
  const isFinal = code === "GATEWAY_UNHEALTHY" || code === "LEASE_HELD" || code === "LEASE_UNAVAILABLE";
  return outcome === "failed" && isFinal ? ERROR_STATUSES.LEASE_HELD : OF_OUTCOME[outcome];
}

/** Returns the one status for the statuses of several profiles. */
export function combineStatuses(statuses: readonly number[]): number {
  return PRECEDENCE.find((status) => statuses.includes(status)) ?? 0;
}
