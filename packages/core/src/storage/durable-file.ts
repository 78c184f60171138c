/**
 * Small files that are either the old content or the new one, whatever happens in between. Hides temp files and the
 * order of fsyncs. Never retries a failed fsync into a success. For whoever keeps state on disk; not for logs.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

import { LockkeeperError, errnoOf, fileError } from "../errors.ts";
import { warn } from "../warning.ts";
import { createFile, openFile, refuseUnlessPlain, unsafePath } from "./private-file.ts";
import type { FileOwner } from "./private-file.ts";

/** Far above a registry of 10,000 profiles, far below what would stall the process. */
const MAX_READ_BYTES = 32 * 1024 * 1024;

/** Made at its first use: what only reads need not wait for it. */
const fsync = (fd: number): Promise<void> => promisify(fs.fsync)(fd);

/** What a caller does about a file that is replaced and not known to be durable. */
export interface ReplaceOptions {
  /**
   * `throw`: the write has failed, and its caller can still take back what hangs on it. `warn`: the file is what counts,
   * so the caller goes on, and somebody is told. @default "throw"
   */
  readonly unconfirmed?: "throw" | "warn";
}

/**
 * On return `path` holds exactly `data`, durably, with mode 0600. On any failure but NOT_DURABLE the old content is
 * intact and no temp file is left.
 *
 * @throws {LockkeeperError} NOT_DURABLE when `path` holds `data` already and the disk did not confirm it: after a power cut
 * it may be the old content again.
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is at `path`.
 * @throws {LockkeeperError} DISK_FULL, DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function replaceFile(
  path: string,
  data: string | Uint8Array,
  { unconfirmed = "throw" }: ReplaceOptions = {},
): Promise<void> {
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  let directory: number | undefined;
  try {
    const occupant = fs.lstatSync(path, { throwIfNoEntry: false });
    if (occupant !== undefined) refuseUnlessPlain(occupant, path);
    // Before the rename: a directory that cannot be opened is no reason to doubt a file that is replaced already.
    directory = openDirectory(dirname(path));
    await writeDurably(temp, data);
    fs.renameSync(temp, path);
  } catch (error) {
    if (directory !== undefined) fs.closeSync(directory);
    removeQuietly(temp);
    throw fileError(error, "write", path);
  }
  try {
    await confirm(directory);
  } catch (error) {
    const doubt = notDurable(path, error);
    if (unconfirmed === "throw") throw doubt;
    warn(doubt.message, doubt.code);
  } finally {
    if (directory !== undefined) fs.closeSync(directory);
  }
}

/**
 * On return the names in the directory `path` are durable: what was made, renamed or removed there stays so.
 *
 * @throws {LockkeeperError} NOT_DURABLE, PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function syncDirectory(path: string): Promise<void> {
  let directory: number | undefined;
  try {
    directory = openDirectory(path);
  } catch (error) {
    throw fileError(error, "open the directory", path);
  }
  try {
    await confirm(directory);
  } catch (error) {
    throw notDurable(path, error);
  } finally {
    if (directory !== undefined) fs.closeSync(directory);
  }
}

async function writeDurably(path: string, data: string | Uint8Array): Promise<void> {
  const fd = createFile(path);
  try {
    fs.writeFileSync(fd, data);
    await fsync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Undefined on Windows, which cannot open a directory for fsync (untested there); the rename itself is all it offers. */
function openDirectory(path: string): number | undefined {
  return process.platform === "win32" ? undefined : fs.openSync(path, fs.constants.O_RDONLY);
}

/** What a file system answers that has no fsync for directories: then the rename itself is all it offers. */
const WITHOUT_DIRECTORY_FSYNC: ReadonlySet<string | undefined> = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP"]);

async function confirm(directory: number | undefined): Promise<void> {
  if (directory === undefined) return;
  try {
    await fsync(directory);
  } catch (error) {
    if (!WITHOUT_DIRECTORY_FSYNC.has(errnoOf(error))) throw error;
  }
}

function notDurable(path: string, cause: unknown): LockkeeperError {
  const errno = errnoOf(cause) ?? "unknown error";
  return new LockkeeperError("NOT_DURABLE", `written, but not confirmed by the disk: ${path}: ${errno}`, {
    cause,
    hint: "Look at the disk under that path; until it is well, a power cut may bring the old content back.",
  });
}

/** The first failure is the one worth telling; a temp file that cannot be removed changes nothing. */
function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // As said.
  }
}

/**
 * Returns the text of a small private file, or undefined when there is none. Never follows a link, never waits on a
 * FIFO or a device.
 *
 * @param owner `any` lets somebody else's file pass, to be shown and not to be acted on. @default "own"
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name, or a huge one, is there;
 * when the file is another user's (root's is fine) or can be written by others.
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function readIfPresent(path: string, owner?: FileOwner): Promise<string | undefined> {
  return readIfPresentSync(path, owner);
}

/** The same as {@link readIfPresent}; one small local file is read faster than an event loop turns. */
export function readIfPresentSync(path: string, owner: FileOwner = "own"): string | undefined {
  let fd: number | undefined;
  try {
    fd = openFile(path, "read", owner);
    if (fd === undefined) return undefined;
    const { size } = fs.fstatSync(fd);
    if (size > MAX_READ_BYTES) {
      throw unsafePath(path, `is ${size} bytes, more than the ${MAX_READ_BYTES} that it may have`);
    }
    return fs.readFileSync(fd, "utf8");
  } catch (error) {
    throw fileError(error, "read", path);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
