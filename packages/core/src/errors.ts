/**
 * The one error shape of Lockkeeper. Every failure that a person or a script can act on is a `LockkeeperError` with a stable
 * `code`; any other error that escapes is a bug. Decide on `code`, never on message text. The union lives here, below every
 * package, so that one table (the command line's exit statuses, the troubleshooting page) can be checked for completeness by
 * the compiler.
 */

/** Codes carried by a {@link GatewayLockError}. */
export type GatewayLockErrorCode = "LOCK_HELD" | "PORT_IN_USE" | "BIND_FAILED" | "LOCK_LOST" | "LOCK_UNSUPPORTED";

/** Every documented error code; scripts may rely on these words. */
export type ErrorCode =
  | GatewayLockErrorCode
  // usage: the request itself is wrong
  | "USAGE"
  | "PROFILE_NAME_INVALID"
  | "PORT_INVALID"
  | "OPTION_INVALID"
  | "CONFIRMATION_NEEDED"
  // profiles
  | "PROFILE_NOT_FOUND"
  | "PROFILE_EXISTS"
  | "PROFILE_RUNNING"
  | "PORTS_OVERLAP"
  | "PORTS_EXHAUSTED"
  | "DIRECTORY_SHARED"
  | "SET_CONFLICT"
  // data on disk
  | "REGISTRY_DAMAGED"
  | "CONFIG_DAMAGED"
  // running a gateway
  | "COMMAND_NOT_FOUND"
  | "GATEWAY_EXITED"
  | "GATEWAY_UNHEALTHY"
  | "LISTENER_MISMATCH"
  | "STILL_STARTING"
  | "HELD_BACK"
  | "STOP_INCOMPLETE"
  | "RECORD_UNVERIFIED"
  // one owner across hosts
  | "LEASE_HELD"
  | "LEASE_UNAVAILABLE"
  // service managers
  | "MANAGER_UNREACHABLE"
  | "MANAGER_REFUSED"
  | "UNIT_CONFLICT"
  // the host
  | "UNSAFE_PATH"
  | "PERMISSION_DENIED"
  | "DISK_FULL"
  | "DISK_READ_ONLY"
  | "IO_FAILED"
  | "NOT_DURABLE"
  | "MUTEX_TIMEOUT"
  | "ABORTED";

/** What an error carries besides its message. */
export interface LockkeeperErrorDetails {
  /** The observations, one fact a line: the holder of the port, the last lines of the log. */
  readonly evidence?: readonly string[] | undefined;
  /** One sentence: the next step for the person who reads the message. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A failure with a documented `code`, a message that names object and observed value, and the next step as `hint`. */
export class LockkeeperError extends Error {
  override readonly name: string = "LockkeeperError";
  readonly code: ErrorCode;
  readonly evidence: readonly string[];
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: LockkeeperErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.evidence = details.evidence ?? [];
    this.hint = details.hint;
  }
}

/** The gateway lock could not be taken, or was lost: another owner, a taken port, a failed bind, no safe mechanism. */
export class GatewayLockError extends LockkeeperError {
  override readonly name: string = "GatewayLockError";
  declare readonly code: GatewayLockErrorCode;
  /** The process that holds the lock, as far as its record says. */
  readonly ownerPid: number | undefined;

  constructor(
    code: GatewayLockErrorCode,
    message: string,
    details: LockkeeperErrorDetails & { readonly ownerPid?: number | undefined } = {},
  ) {
    super(code, message, details);
    this.ownerPid = details.ownerPid;
  }
}

/**
 * Returns the error for a wait that its caller ended.
 *
 * @param how `while waiting for the lock of /srv/a`, `by SIGINT`.
 * @param cause the reason of the signal that aborted.
 */
export function interrupted(how: string, cause: unknown, hint?: string): LockkeeperError {
  // Node wraps the reason of an abort; who aborted may have said already by what.
  const reason = cause instanceof Error && !(cause instanceof LockkeeperError) ? cause.cause : cause;
  if (reason instanceof LockkeeperError && reason.code === "ABORTED") return reason;
  return new LockkeeperError("ABORTED", `interrupted ${how}`, { cause, hint });
}

/** @throws {LockkeeperError} ABORTED when `signal` has aborted; `how` as for {@link interrupted}. */
export function throwIfAborted(signal: AbortSignal | undefined, how: string, hint?: string): void {
  if (signal?.aborted === true) throw interrupted(how, signal.reason, hint);
}

/** The `code` of a system error (`ENOENT`, ...), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether the error is a documented one or a system error, which a caller may handle. Any other error is a bug. */
export function isForeseen(error: unknown): boolean {
  return error instanceof LockkeeperError || errnoOf(error) !== undefined;
}

/** Returns the documented error that `look` throws; undefined when it returns. Throws any other error on: that is a bug. */
export function faultOf(look: () => unknown): LockkeeperError | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    if (error instanceof LockkeeperError) return error;
    throw error;
  }
}

/**
 * Returns the documented error for a failed file call: a message with path and errno, and what to do about it.
 *
 * @param action what was being done, as a verb phrase: `"write the registry"`.
 */
export function fileError(error: unknown, action: string, path: string): LockkeeperError {
  if (error instanceof LockkeeperError) return error;
  const errno = errnoOf(error) ?? "unknown error";
  const message = `cannot ${action}: ${path}: ${errno}`;
  switch (errno) {
    case "ENOSPC":
    case "EDQUOT":
      return new LockkeeperError("DISK_FULL", message, {
        cause: error,
        hint: "Free space on that disk, then run it again.",
      });
    case "EROFS":
      return new LockkeeperError("DISK_READ_ONLY", message, {
        cause: error,
        hint: "That file system is read-only: remount it, or use a path that can be written.",
      });
    case "EACCES":
    case "EPERM":
      return new LockkeeperError("PERMISSION_DENIED", message, {
        cause: error,
        hint: "Run it as the owner of that path, or use a path of your own.",
      });
    case "EMFILE":
    case "ENFILE":
      return new LockkeeperError("IO_FAILED", message, {
        cause: error,
        hint: "Raise the limit of open files (ulimit -n).",
      });
    default:
      return new LockkeeperError("IO_FAILED", message, {
        cause: error,
        hint: "Look at that path and its disk, then run it again.",
      });
  }
}
