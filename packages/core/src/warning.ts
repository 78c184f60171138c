/**
 * What went wrong beside the point: the thing that was asked for is done, and somebody should know the rest. Told through
 * Node's own channel, so that an embedder hears it with `process.on("warning")` and nothing has to be passed down.
 */
import type { ErrorCode, LockkeeperError } from "./errors.ts";

/** The `name` of every warning of ours. */
export const WARNING_NAME = "LockkeeperWarning";

/** `WIDE_BIND`: a gateway can be reached from other machines. No error has that code. */
export type WarningCode = ErrorCode | "WIDE_BIND" | "OWN_BIND";

/** Tells whoever listens, in a moment: `text` is one line, `code` as on an error of the same kind. */
export function warn(text: string, code: WarningCode): void {
  process.emitWarning(text, { type: WARNING_NAME, code });
}

/** Tells of a failure after the point at which a change counts. @param done what is true all the same, as a clause. */
export function warnAfter(done: string, { code, message }: LockkeeperError): void {
  warn(`${done}, but ${message}`, code);
}
