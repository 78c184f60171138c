/**
 * Warnings: the request was carried out, but a side effect failed. They use Node's own channel, so that an embedding program
 * hears them with `process.on("warning")` and no callback must be passed down.
 */
import type { ErrorCode, LockkeeperError } from "./errors.ts";

/** The `name` of all our warnings. */
export const WARNING_NAME = "LockkeeperWarning";

/** `WIDE_BIND`: a gateway can be reached from other machines. No error has that code. */
export type WarningCode = ErrorCode | "WIDE_BIND" | "OWN_BIND";

/** Emits a warning asynchronously: `text` is one line, `code` as on an error of the same kind. */
export function warn(text: string, code: WarningCode): void {
  process.emitWarning(text, { type: WARNING_NAME, code });
}

/** Warns about a failure after the point at which a change counts. @param done what is true anyway, as a clause. */
export function warnAfter(done: string, { code, message }: LockkeeperError): void {
  warn(`${done}, but ${message}`, code);
}
