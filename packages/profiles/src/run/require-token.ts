/** Checks the access token of a built-in gateway before anything is started. */
import { bitsOfOthers, LockkeeperError, readIfPresentSync, refuseWeakToken, shellCommand } from "@lockkeeper/core";
import { lstatSync } from "node:fs";
import type { Manifest } from "../manifest.ts";

/**
 * Returns when the profile's token exists, is strong, and belongs to its owner alone.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when others can read or write it, or it is another user's; OPTION_INVALID when it is
 * missing or weak; file errors with path and errno.
 */
export function requireToken({ kind, paths: { token: file } }: Manifest): void {
  if (kind !== "builtin") return;
  const text = readIfPresentSync(file);
  if (text === undefined) {
    throw new LockkeeperError("OPTION_INVALID", `there is no token at ${file}`, {
      hint: "Put the file back; a clone of the profile gets a token of its own.",
    });
  }
  refuseWeakToken(text.trim());
  const stats = lstatSync(file);
  if (bitsOfOthers(stats) === 0) return;
  const mode = stats.mode & 0o777;
  throw new LockkeeperError("UNSAFE_PATH", `unsafe path: ${file} can be read by others (mode 0${mode.toString(8)})`, {
    hint: `Close it: ${shellCommand("chmod", "600", file)}`,
  });
}
