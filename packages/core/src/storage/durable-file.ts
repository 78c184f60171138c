/**
 * Writes small files that hold either the old content or the new one, whatever happens in between. Hides temp files and the
 * order of fsyncs. Never turns a failed fsync into a success by trying again. For state on disk, not for logs.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

import { LockkeeperError, errnoOf, fileError } from "../errors.ts";
import { warn } from "../warning.ts";
import { createFile, refuseUnlessPlain } from "./private-file.ts";
import { randomBytes } from "./random-bytes.ts";

/** Not by `promisify`: for the few calls of a short command it takes a third longer. */
function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** What to do when the file was replaced but the disk did not confirm it. */
export interface ReplaceOptions {
  /**
   * `throw`: the write counts as failed, and the caller can still undo what depends on it. `warn`: the new file counts, so the
   * caller goes on and a warning is printed. @default "throw"
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
    // This is done before the rename, so that a directory that cannot be opened fails the write and not a finished replacement.
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
 * On return the names in the directory `path` are durable: every creation, rename or removal there will survive.
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

/** Answers of a file system without fsync for directories; the rename itself is then all that it offers. */
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

/** The first failure is reported; a temp file that cannot be removed changes nothing. */
function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // See above.
  }
}
