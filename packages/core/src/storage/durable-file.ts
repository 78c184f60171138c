/**
 * Small files that are either the old content or the new one, whatever happens in between. Hides temp files and the
 * order of fsyncs. Never retries a failed fsync into a success. For whoever keeps state on disk; not for logs.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

import { fileError } from "../errors.ts";
import { createFile, openFile, refuseUnlessPlain, unsafePath } from "./private-file.ts";

/** Far above a registry of 10,000 profiles, far below what would stall the process. */
const MAX_READ_BYTES = 32 * 1024 * 1024;

const fsync = promisify(fs.fsync);

/**
 * On return `path` holds exactly `data`, durably, with mode 0600; on failure the old content is intact and no temp file is
 * left.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is at `path`.
 * @throws {LockkeeperError} DISK_FULL, DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function replaceFile(path: string, data: string | Uint8Array): Promise<void> {
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const occupant = fs.lstatSync(path, { throwIfNoEntry: false });
    if (occupant !== undefined) refuseUnlessPlain(occupant, path);
    await writeDurably(temp, data);
    fs.renameSync(temp, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    removeQuietly(temp);
    throw fileError(error, "write", path);
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

/** Makes the renaming durable. */
async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory for fsync (untested there); the rename itself is all it offers.
  if (process.platform === "win32") return;
  const fd = fs.openSync(path, fs.constants.O_RDONLY);
  try {
    await fsync(fd);
  } finally {
    fs.closeSync(fd);
  }
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
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name, or a huge one, is there.
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function readIfPresent(path: string): Promise<string | undefined> {
  return readIfPresentSync(path);
}

/** The same as {@link readIfPresent}; one small local file is read faster than an event loop turns. */
export function readIfPresentSync(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openFile(path, "read");
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
