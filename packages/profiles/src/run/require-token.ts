/** Checks the access token of a built-in gateway before anything is started. */
import { LockkeeperError } from "@lockkeeper/core";
import {
  bitsOfOthers,
  lstatIfPresent,
  openToOthers,
  readIfPresentSync,
  shellCommand,
  tokenFault,
  unsafePath,
} from "@lockkeeper/core/internal";
import type { Manifest } from "../manifest.ts";

/**
 * Returns the strong token in `file`.
 *
 * @param read reads a small private file, for a look at many. @default readIfPresentSync
 * @throws {LockkeeperError} OPTION_INVALID when it is missing or weak; UNSAFE_PATH and file errors with path and errno.
 */
export function readStrongToken(
  file: string,
  read: (file: string) => string | undefined = (path) => readIfPresentSync(path),
): string {
  const token = read(file)?.trim();
  if (token === undefined) throw unfit(`there is no token at ${file}`);
  const fault = tokenFault(token);
  if (fault !== undefined) throw unfit(`the token in ${file} cannot be used: ${fault}`);
  return token;
}

function unfit(message: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", message, {
    hint: "Put the file back; a clone of the profile gets a token of its own.",
  });
}

/**
 * Returns when the profile's token exists, is strong, and belongs to its owner alone.
 *
 * @throws {LockkeeperError} as {@link readStrongToken}; UNSAFE_PATH when others can read it.
 */
export function requireToken({ kind, paths: { token: file } }: Manifest): void {
  if (kind !== "builtin") return;
  readStrongToken(file);
  refuseOpenToken(file);
}

/**
 * Returns when others cannot read the token in `file`, or there is none.
 *
 * @throws {LockkeeperError} UNSAFE_PATH; file errors with path and errno.
 */
export function refuseOpenToken(file: string): void {
  const stats = lstatIfPresent(file);
  if (stats === undefined) return;
  if (bitsOfOthers(stats, file) === 0) return;
  throw unsafePath(file, openToOthers(stats), `Close it: ${shellCommand("chmod", "600", file)}`);
}
