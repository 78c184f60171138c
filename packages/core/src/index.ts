/** The one door of `@lockkeeper/core`. */
export type { ErrorCode, GatewayLockErrorCode, LockkeeperErrorDetails } from "./errors.ts";
export { GatewayLockError, LockkeeperError, errnoOf, fileError } from "./errors.ts";
export type { ProcessIdentity, ProcessVerdict } from "./host/process-identity.ts";
export type { GatewayExit, Health, PublishedState, RunRecord } from "./keeper/run-record.ts";
