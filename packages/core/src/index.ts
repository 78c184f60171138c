/** The one door of `@lockkeeper/core`. */
export type { ErrorCode, GatewayLockErrorCode, LockkeeperErrorDetails } from "./errors.ts";
export { GatewayLockError, LockkeeperError, errnoOf, fileError } from "./errors.ts";
export type { ProcessIdentity, ProcessVerdict } from "./host/process-identity.ts";
export type { GatewayExit, Health, PublishedState, RunRecord } from "./keeper/run-record.ts";
export type { Holder, HostView, Listener } from "./host/sockets.ts";
export { coversAddress, findHolders, readClosingPorts, readListeners } from "./host/sockets.ts";
export type { PortProbe } from "./host/probe-port.ts";
export { probePort } from "./host/probe-port.ts";
export {
  ensurePrivateDirectory,
  readIfPresent,
  readIfPresentSync,
  replaceFile,
  replaceFileSync,
} from "./storage/durable-file.ts";
