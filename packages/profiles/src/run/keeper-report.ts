/** The reports of a detached keeper to its starter, one JSON line each. Pure; both ends use this file. */
import { GatewayLockError, LockkeeperError } from "@lockkeeper/core";
import type { ErrorCode, GatewayLockErrorCode, KeeperOutcome, RunRecord } from "@lockkeeper/core";

/** An error as plain data; {@link reviveError} makes it an error again. JSON omits undefined fields. */
export type PlainError =
  | (PlainDetails & {
      readonly kind: "lock";
      readonly code: GatewayLockErrorCode;
      readonly ownerPid?: number | undefined;
    })
  | (PlainDetails & { readonly kind: "known"; readonly code: ErrorCode })
  | { readonly kind: "bug"; readonly message: string };

interface PlainDetails {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly evidence: readonly string[];
}

/** One line from a keeper to its starter; an outcome or an error is the last one. */
export type KeeperReport =
  | { readonly record: RunRecord }
  | { readonly outcome: KeeperOutcome["outcome"]; readonly detail: string }
  | { readonly error: PlainError };

/** Returns the error as plain data. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof LockkeeperError)) {
    return { kind: "bug", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const { message, hint, evidence } = error;
  if (error instanceof GatewayLockError) {
    return { kind: "lock", code: error.code, ownerPid: error.ownerPid, message, hint, evidence };
  }
  return { kind: "known", code: error.code, message, hint, evidence };
}

/** Returns an error that is equal to the reported one in class, code, message, evidence and hint. */
export function reviveError(plain: PlainError): Error {
  switch (plain.kind) {
    case "lock":
      return new GatewayLockError(plain.code, plain.message, plain);
    case "known":
      return new LockkeeperError(plain.code, plain.message, plain);
    case "bug":
      return new Error(`the keeper failed: ${plain.message}`);
  }
}
