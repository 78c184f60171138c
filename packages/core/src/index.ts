/**
 * The door of `@lockkeeper/core` for authors: the lock, a gateway under it, the health of one, and the keeper of one with what it
 * leaves to read. What stands here follows semantic versioning; a test holds the list.
 */

// The lock, a gateway under it, and their errors.
export type { ErrorCode, GatewayLockErrorCode, LockkeeperErrorDetails } from "./errors.ts";
export { GatewayLockError, LockkeeperError } from "./errors.ts";
export type { GatewayLock, GatewayLockOptions, GatewayLockUpdate } from "./lock/gateway-lock.ts";
export type { LockInspection } from "./lock/inspect.ts";
export type { LockPlace, LockScope } from "./lock/lock-path.ts";
export { acquireGatewayLock, lockPathFor } from "./lock/gateway-lock.ts";
export { inspectGatewayLock } from "./lock/inspect.ts";
export type { LockMechanism, LockRecord, LockedGateway } from "./lock/lock-record.ts";
export type { StartGatewayOptions } from "./gateway/start-gateway.ts";
export { startGateway } from "./gateway/start-gateway.ts";
export type { Gateway, GatewayState } from "./gateway/gateway-host.ts";
export { startGatewayHost } from "./gateway/gateway-host.ts";
export type {
  ConnectionHandler,
  GatewayHostOptions,
  GatewayLimitOptions,
  RequestHandler,
} from "./gateway/gateway-options.ts";
export type { GatewayLimits } from "./gateway/gateway-limits.ts";
export { GATEWAY_LIMITS } from "./gateway/gateway-limits.ts";
export type { HealthProbe, HealthReport } from "./gateway/health.ts";
export { probeHealth } from "./gateway/health.ts";

// What the host knows: addresses, ports, processes.
export { DEFAULT_HOST, DEFAULT_PORT, gatewayUrl } from "./host/address.ts";
export type { ProcessIdentity } from "./host/process-identity.ts";

// The keeper of one gateway, and what it leaves to read.
export type { HealthCheck, KeeperLease, KeeperOutcome, KeeperSpec } from "./keeper/keeper-spec.ts";
export { runKeeper } from "./keeper/run-keeper.ts";
export type { GatewayExit, Health, PublishedState, RunRecord } from "./keeper/run-record.ts";
export { parseRunRecord } from "./keeper/run-record.ts";
export type { HistoryEvent } from "./keeper/history.ts";
export type { LastWords } from "./keeper/last-words.ts";
export { readHistory } from "./keeper/history.ts";
export type { LogPosition } from "./keeper/log-files.ts";
export type { FollowOptions } from "./keeper/log-follow.ts";
export { followLog } from "./keeper/log-follow.ts";
export type { LogExcerpt, LogLine, LogSelection } from "./keeper/log-reader.ts";
export { readLog } from "./keeper/log-reader.ts";
