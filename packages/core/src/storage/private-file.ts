/**
 * Opens and creates the small files that only their owner may read. Follows no link, waits on no FIFO or device, touches no
 * file with a second name, and changes no mode of a file that it did not create. Lock files have rules of their own. System
 * errors are passed on as they are: the caller knows what was being done.
 */
import { shellCommand } from "../shell-quote.ts";
import * as fs from "node:fs";

import { LockkeeperError, errnoOf } from "../errors.ts";
import { isOpenToOthers } from "./bits-of-others.ts";
import { fileKind } from "./file-kind.ts";
import { isUnmapped } from "./unmapped-user.ts";

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;

/** Owner only; set explicitly, so no umask loosens or tightens it. */
const FILE_MODE = 0o600;

const ACCESS = { read: O_RDONLY, append: O_RDWR | O_APPEND, overwrite: O_RDWR } as const;

/** Errors of an open that meets a planted link or socket, a FIFO without a reader, or a device without a driver. */
const PLANTED: ReadonlySet<string | undefined> = new Set(["ELOOP", "ENXIO", "EISDIR", "ENODEV"]);

/** Creates the file, which must not exist, with mode 0600 under any umask, and returns its descriptor. Writes append. */
export function createFile(path: string): number {
  const fd = fs.openSync(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
  try {
    fs.fchmodSync(fd, FILE_MODE);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    fs.rmSync(path, { force: true });
    throw error;
  }
}

/** Whose file may be read: `own` means ours or root's, and closed to other writers; `any` is for display only. */
export type FileOwner = "own" | "any";

/**
 * Opens the file for reading, appending or overwriting, and returns its descriptor; undefined when it does not exist.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when `path` is not a plain file, has a second name, is another user's (root's is fine) or
 * can be written by others; it is left untouched.
 */
export function openFile(
  path: string,
  access: "read" | "append" | "overwrite",
  owner: FileOwner = "own",
): number | undefined {
  return openAndLook(path, access, owner)?.fd;
}

/** The same as {@link openFile}, with what the open file is. Throws as it does. */
export function openAndLook(
  path: string,
  access: "read" | "append" | "overwrite",
  owner: FileOwner = "own",
): { readonly fd: number; readonly stats: fs.Stats } | undefined {
  const flags = ACCESS[access] | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  let fd: number;
  try {
    fd = fs.openSync(path, flags);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    if (PLANTED.has(errnoOf(error))) refuseUnlessPlain(fs.lstatSync(path), path);
    throw error;
  }
  try {
    const stats = fs.fstatSync(fd);
    refuseUnlessPlain(stats, path);
    if (owner === "own") refuseUnlessOwn(stats, path);
    return { fd, stats };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** {@link openFile} for appending, or {@link createFile} when nothing is there. */
export function openForAppend(path: string): number {
  return openFile(path, "append") ?? createFile(path);
}

/** @throws {LockkeeperError} UNSAFE_PATH when `stats`, those of `path`, do not describe a plain file with a single name. */
export function refuseUnlessPlain(stats: fs.Stats, path: string): void {
  const fact = notPlain(stats);
  if (fact === undefined) return;
  // The second name may come from a backup of the whole home by hard links. Then moving files away would not help.
  throw fileKind(stats) === "file" ? unsafePath(path, fact, ownName(path)) : unsafePath(path, fact);
}

/** The hint for a file with a second name. */
function ownName(path: string): string {
  const own = `${path}.own`;
  return `Give it a name of its own: ${shellCommand("cp", "-p", path, own)} && ${shellCommand("mv", own, path)}`;
}

/** Returns what keeps it from being a plain file of one name, as the end of a sentence; undefined when nothing does. */
export function notPlain(stats: fs.Stats | fs.BigIntStats): string | undefined {
  const kind = fileKind(stats);
  if (kind === "link") return "is a symbolic link";
  if (kind === "directory") return "is a directory";
  if (kind !== "file") return "is not a plain file";
  return stats.nlink > 1 ? `has ${stats.nlink} names (hard links)` : undefined;
}

/** What of a file's state the sentences below are made of. */
type Mode = Pick<fs.Stats, "mode"> | Pick<fs.BigIntStats, "mode">;

/** Returns whose it is, as the end of a sentence. */
export function belongsToAnother({ uid }: Pick<fs.Stats, "uid"> | Pick<fs.BigIntStats, "uid">): string {
  return isUnmapped(uid)
    ? "belongs to a user that this user namespace does not show"
    : `belongs to another user (uid ${uid})`;
}

/** Returns that others can write it, as the end of a sentence. */
export function writtenByOthers(stats: Mode): string {
  return `can be written by others (mode ${modeText(stats)})`;
}

/** Returns that others can read or write it, as the end of a sentence. */
export function openToOthers(stats: Mode): string {
  return `is open to others (mode ${modeText(stats)})`;
}

/**
 * Returns why nobody may act on the plain file at `path`: it is somebody else's, or others can write it. Undefined for any
 * other file, and for what is not a plain file or cannot be looked at: reading it says so.
 */
export function doubtAbout(path: string): LockkeeperError | undefined {
  try {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && fileKind(stats) === "file") refuseUnlessOwn(stats, path);
  } catch (error) {
    if (error instanceof LockkeeperError) return error;
  }
  return undefined;
}

/** @throws {LockkeeperError} UNSAFE_PATH when the file with these `stats` is another user's, or can be written by others. */
function refuseUnlessOwn(stats: fs.Stats, path: string): void {
  if (isForeign(stats)) throw unsafePath(path, belongsToAnother(stats), runAsOwner(stats));
  if (isOpenToOthers(stats, path)) {
    throw unsafePath(path, writtenByOthers(stats), `Close it: ${shellCommand("chmod", "go-w", path)}`);
  }
}

/** Neither ours nor root's. Root could change anything anyway. */
export function isForeign(stats: fs.Stats): boolean {
  const self = process.geteuid?.();
  if (self === undefined || stats.uid === 0) return false;
  return stats.uid !== self || isUnmapped(self);
}

/** The hint for files whose owner cannot be known here. */
export const OUTSIDE =
  "Run it outside of this user namespace (unshare, a rootless container), as the owner of the home.";

/** Returns the hint for a file that belongs to another user. */
export function runAsOwner({ uid }: fs.Stats): string {
  if (isUnmapped(uid)) return OUTSIDE;
  return `Run it as its owner: ${shellCommand("sudo", "-u", `#${uid}`, "-H", "lockkeeper", "list")}`;
}

/** Returns the mode as `ls` and `chmod` write it in digits. */
function modeText({ mode }: Mode): string {
  return (Number(mode) & 0o7777).toString(8).padStart(4, "0");
}

/** Returns the error for a `path` that must not be read, written or trusted. */
export function unsafePath(path: string, fact: string, hint = "Move it away, then run it again."): LockkeeperError {
  return new LockkeeperError("UNSAFE_PATH", `unsafe path: ${path} ${fact}`, { hint });
}
