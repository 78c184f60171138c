/** Reads small private files: apart from `durable-file.ts`, since most commands write none. */
import * as fs from "node:fs";

import { fileError } from "../errors.ts";
import { openAndLook, unsafePath } from "./private-file.ts";
import type { FileOwner } from "./private-file.ts";

/** Far above a registry of 10,000 profiles, far below what would stall the process. */
const MAX_READ_BYTES = 32 * 1024 * 1024;

/**
 * Returns the text of a small private file, or undefined when there is none. Follows no link and waits on no FIFO or device.
 *
 * @param owner `any` also reads another user's file, for display only. @default "own"
 * @throws {LockkeeperError} UNSAFE_PATH when `path` is not a plain file, has a second name or is huge; when the file is another
 * user's (root's is fine) or can be written by others.
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export function readIfPresentSync(path: string, owner: FileOwner = "own"): string | undefined {
  return readAndLook(path, owner)?.text;
}

/** The same as {@link readIfPresentSync}, with what the file is. Throws as it does. */
export function readAndLook(
  path: string,
  owner: FileOwner = "own",
): { readonly text: string; readonly stats: fs.Stats } | undefined {
  let fd: number | undefined;
  try {
    const opened = openAndLook(path, "read", owner);
    if (opened === undefined) return undefined;
    const { stats } = opened;
    ({ fd } = opened);
    if (stats.size > MAX_READ_BYTES) {
      throw unsafePath(path, `is ${stats.size} bytes, more than the ${MAX_READ_BYTES} that it may have`);
    }
    return { text: fs.readFileSync(fd, "utf8"), stats };
  } catch (error) {
    throw fileError(error, "read", path);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
