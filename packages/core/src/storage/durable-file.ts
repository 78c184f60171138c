/**
 * Small files that are either the old content or the new one, whatever happens in between, and the private
 * directories they live in. Hides temp files, fsync order and the checks that keep a planted link, FIFO or
 * device from being read or written. Never retries a failed fsync into a success, never changes the mode of
 * something that it did not create. For whoever keeps state on disk; not for logs.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join, parse, resolve } from "node:path";
import { promisify } from "node:util";
import { LockkeeperError, errnoOf, fileError } from "../errors.ts";

const DEFAULTS = {
  /** Owner only; set explicitly, so no umask loosens or tightens it. */
  fileMode: 0o600,
  directoryMode: 0o700,
  /** Far above a registry of 10,000 profiles, far below what would stall the process. */
  maxReadBytes: 32 * 1024 * 1024,
};

const fsync = promisify(fs.fsync);

/**
 * On return `path` holds exactly `data`, durably, with `mode`; on failure the old content is intact and no temp
 * file is left.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is at `path`.
 * @throws {LockkeeperError} DISK_FULL, DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function replaceFile(
  path: string,
  data: string | Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const staged = stageFile(path, data, options.mode ?? DEFAULTS.fileMode);
  try {
    await fsync(staged.fd);
    publish(staged, path);
    await withDirectory(path, fsync);
  } catch (error) {
    throw discard(staged, error, path);
  }
}

/** The same as {@link replaceFile}, for moments that must not yield (the end of a process). */
export function replaceFileSync(
  path: string,
  data: string | Uint8Array,
  options: { readonly mode?: number } = {},
): void {
  const staged = stageFile(path, data, options.mode ?? DEFAULTS.fileMode);
  try {
    fs.fsyncSync(staged.fd);
    publish(staged, path);
    withDirectory(path, fs.fsyncSync);
  } catch (error) {
    throw discard(staged, error, path);
  }
}

interface StagedFile {
  readonly temp: string;
  readonly fd: number;
  open: boolean;
}

function stageFile(path: string, data: string | Uint8Array, mode: number): StagedFile {
  const occupant = lstatIfPresent(path);
  if (occupant !== undefined) refuseUnlessPlain(occupant, path);
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  let staged: StagedFile;
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
    staged = { temp, fd: fs.openSync(temp, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), mode), open: true };
  } catch (error) {
    throw fileError(error, "write", path);
  }
  try {
    fs.fchmodSync(staged.fd, mode);
    fs.writeFileSync(staged.fd, data);
    return staged;
  } catch (error) {
    throw discard(staged, error, path);
  }
}

function publish(staged: StagedFile, path: string): void {
  close(staged);
  fs.renameSync(staged.temp, path);
}

function close(staged: StagedFile): void {
  if (!staged.open) return;
  staged.open = false;
  fs.closeSync(staged.fd);
}

function discard(staged: StagedFile, error: unknown, path: string): LockkeeperError {
  try {
    close(staged);
    fs.rmSync(staged.temp, { force: true });
  } catch {
    // The first failure is the one worth telling; a temp file that cannot be removed changes nothing.
  }
  return fileError(error, "write", path);
}

function withDirectory<T>(path: string, use: (fd: number) => T): T {
  // Windows cannot open a directory for fsync (untested there); the rename itself is all it offers.
  if (process.platform === "win32") return undefined as T;
  const fd = fs.openSync(dirname(path), fs.constants.O_RDONLY);
  let result: T;
  try {
    result = use(fd);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  if (result instanceof Promise) return result.finally(() => fs.closeSync(fd)) as T;
  fs.closeSync(fd);
  return result;
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
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0) | (O_NOCTTY ?? 0));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    // ELOOP: a link; ENXIO: a socket, or a device without a driver.
    const occupant = lstatIfPresent(path);
    if (occupant !== undefined) refuseUnlessPlain(occupant, path);
    throw fileError(error, "read", path);
  }
  try {
    const stats = fs.fstatSync(fd);
    refuseUnlessPlain(stats, path);
    if (stats.size > DEFAULTS.maxReadBytes) {
      throw unsafe(path, `is ${stats.size} bytes, more than the ${DEFAULTS.maxReadBytes} that it may have`);
    }
    return fs.readFileSync(fd, "utf8");
  } catch (error) {
    throw fileError(error, "read", path);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * On return `path` is a directory that only we can write: existing and checked, or created with mode 0700 under any
 * umask, missing parents included. Ancestors must belong to us or to root, and be closed to others unless sticky.
 *
 * @throws {LockkeeperError} UNSAFE_PATH naming path, owner or mode when the directory or an ancestor is a link of
 * somebody else, belongs to somebody else, or can be written by others.
 * @throws {LockkeeperError} DISK_READ_ONLY, PERMISSION_DENIED, DISK_FULL, IO_FAILED with path and errno.
 */
export function ensurePrivateDirectory(path: string): void {
  const directory = resolve(path);
  const existing = lstatIfPresent(directory);
  if (existing === undefined) {
    const parent = dirname(directory);
    if (lstatIfPresent(parent) === undefined) ensurePrivateDirectory(parent);
    else refuseUnsafeAncestors(directory);
    createDirectory(directory);
  } else {
    refuseUnlessPrivate(existing, directory);
    refuseUnsafeAncestors(directory);
  }
}

function createDirectory(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: DEFAULTS.directoryMode });
    fs.chmodSync(directory, DEFAULTS.directoryMode);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw fileError(error, "create the directory", directory);
    // Somebody was faster: then what they made must stand the same checks.
    const existing = lstatIfPresent(directory);
    if (existing !== undefined) refuseUnlessPrivate(existing, directory);
  }
}

function refuseUnlessPrivate(stats: fs.Stats, path: string): void {
  if (stats.isSymbolicLink()) throw unsafe(path, "is a symbolic link", "Name the directory it points to instead.");
  if (!stats.isDirectory()) throw unsafe(path, "is not a directory");
  if (isForeign(stats, false)) throw unsafe(path, `belongs to another user (uid ${stats.uid})`);
  if (isOpenToOthers(stats)) {
    throw unsafe(path, `can be written by others (mode ${modeText(stats)})`, `Close it: chmod go-w ${path}`);
  }
}

/** Looks at the path as written (a link in it may be re-pointed by its owner) and at where it really leads. */
function refuseUnsafeAncestors(directory: string): void {
  const parent = dirname(directory);
  let real: string;
  try {
    real = fs.realpathSync(parent);
  } catch (error) {
    throw fileError(error, "reach", parent);
  }
  for (const ancestor of new Set([...ancestorsOf(parent), ...ancestorsOf(real)])) {
    const stats = lstatIfPresent(ancestor);
    if (stats === undefined) continue;
    if (isForeign(stats, true)) {
      throw unsafe(directory, `lies in ${ancestor}, which belongs to another user (uid ${stats.uid})`);
    }
    if (stats.isSymbolicLink()) continue;
    const sticky = (stats.mode & 0o1000) !== 0;
    if (isOpenToOthers(stats) && !sticky) {
      throw unsafe(directory, `lies in ${ancestor}, which others can write (mode ${modeText(stats)})`);
    }
  }
}

function* ancestorsOf(path: string): Generator<string> {
  const { root } = parse(path);
  for (let current = path; ; current = dirname(current)) {
    yield current;
    if (current === root) return;
  }
}

function isForeign(stats: fs.Stats, rootIsFine: boolean): boolean {
  const self = process.geteuid?.();
  if (self === undefined) return false;
  return stats.uid !== self && !(rootIsFine && stats.uid === 0);
}

/** Write permission for the world, or for a group that is not the user's private one (gid = uid, by convention). */
function isOpenToOthers(stats: fs.Stats): boolean {
  if (process.platform === "win32") return false;
  if ((stats.mode & 0o002) !== 0) return true;
  return (stats.mode & 0o020) !== 0 && !(stats.gid === stats.uid && stats.gid === process.getegid?.());
}

function refuseUnlessPlain(stats: fs.Stats, path: string): void {
  if (stats.isSymbolicLink()) throw unsafe(path, "is a symbolic link");
  if (stats.isDirectory()) throw unsafe(path, "is a directory");
  if (!stats.isFile()) throw unsafe(path, "is not a plain file");
  if (stats.nlink > 1) throw unsafe(path, `has ${stats.nlink} names (hard links)`);
}

function unsafe(path: string, fact: string, hint = "Move it away, then run it again."): LockkeeperError {
  return new LockkeeperError("UNSAFE_PATH", `unsafe path: ${path} ${fact}`, { hint });
}

function modeText(stats: fs.Stats): string {
  return (stats.mode & 0o7777).toString(8).padStart(4, "0");
}

function lstatIfPresent(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, "look at", path);
  }
}
