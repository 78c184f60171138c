/**
 * Moves and removes folders within the home. A move is one rename. Where the file system refuses that (a container's image layer, a
 * mount), it is a copy beside the original, which the caller removes later. For changes to the registry, which record which of the
 * two it is.
 */
import { errnoOf, fileError } from "@lockkeeper/core/internal";
import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { copyPlainFile } from "../copy-file.ts";

/**
 * Renames the folder. `refused`: nothing was done, because the two places are on different file systems, or the folder comes
 * from a lower layer.
 *
 * @throws {LockkeeperError} file errors with path and errno.
 */
export function renameFolder(from: string, to: string): "renamed" | "refused" {
  try {
    renameSync(from, to);
    return "renamed";
  } catch (error) {
    if (errnoOf(error) === "EXDEV") return "refused";
    throw fileError(error, `move it to ${to}`, from);
  }
}

/**
 * Removes the folder with its content, or the file; links themselves, never their targets. A missing one is no failure.
 *
 * @throws {LockkeeperError} file errors with path and errno.
 */
export function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw fileError(error, "remove", path);
  }
}

/**
 * Copies the folder and its content as `mv` does: modes, times, links as links, holes, and owners as far as we may. On return the
 * copy is durable. Sockets, pipes and devices are not copied: they are useless without the process that made them. Extended
 * attributes are lost, and a file with two names becomes two files.
 *
 * @throws {LockkeeperError} file errors with path and errno; a partial copy remains.
 */
export async function copyFolder(from: string, to: string): Promise<void> {
  try {
    await copyEntry(from, to);
  } catch (error) {
    throw fileError(error, `copy it to ${to}`, from);
  }
}

async function copyEntry(from: string, to: string): Promise<void> {
  const stats = lstatSync(from);
  if (stats.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to);
    takeOwner(to, stats);
    return;
  }
  if (stats.isDirectory()) {
    mkdirSync(to, { mode: 0o700 });
    for (const name of readdirSync(from)) await copyEntry(join(from, name), join(to, name));
  } else if (stats.isFile()) {
    await copyPlainFile(from, to, stats);
  } else {
    return;
  }
  takeOwner(to, stats);
  // The mode comes after the owner, because changing the owner clears the set-user-id bits.
  chmodSync(to, stats.mode & 0o7777);
  // Not as dates, because they round to whole milliseconds.
  utimesSync(to, stats.atimeMs / 1_000, stats.mtimeMs / 1_000);
  syncToDisk(to);
}

/** Only root may give files away; other users own their copies, as with `cp -p`. */
function takeOwner(path: string, { uid, gid }: Stats): void {
  const made = lstatSync(path);
  if (made.uid === uid && made.gid === gid) return;
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    if (errnoOf(error) !== "EPERM") throw error;
  }
}

/** The original will be removed soon, so each file is synced. A file that we may not open is left to its file system. */
function syncToDisk(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === "EACCES") return;
    throw error;
  }
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
