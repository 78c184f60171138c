/**
 * Warnings: the request was carried out, but a side effect failed. They use Node's own channel, so that an embedding program
 * hears them with `process.on("warning")` and no callback must be passed down.
 */
import type { ErrorCode, LockkeeperError } from "./errors.ts";

/** The `name` of all our warnings. */
export const WARNING_NAME = "LockkeeperWarning";

/** `WIDE_BIND`: a gateway can be reached from other machines. No error has that code. */
export type WarningCode = ErrorCode | "WIDE_BIND" | "OWN_BIND";

let taker: ((text: string) => void) | undefined;

/** From now on `listen` gets the text of each warning, instead of Node's channel: for a program that shows them itself. */
export function takeWarnings(listen: (text: string) => void): void {
  taker = listen;
}

/** Emits a warning asynchronously: `text` is one line, `code` as on an error of the same kind. */
export function warn(text: string, code: WarningCode): void {
  if (taker === undefined) process.emitWarning(text, { type: WARNING_NAME, code });
  else process.nextTick(taker, text);
}

/** Warns about a failure after the point at which a change counts. @param done what is true anyway, as a clause. */
export function warnAfter(done: string, { code, message }: LockkeeperError): void {
  warn(`${done}, but ${message}`, code);
}
