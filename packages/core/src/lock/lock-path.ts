/**
 * Where the lock of a config lies: one file per config in the profile's lock directory, named after the config's real
 * path, so that every spelling of one config means one lock. The directory is checked each time, its ancestors once:
 * only we or root can change those afterwards.
 */
import { hash } from "node:crypto";
import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { errnoOf, fileError } from "../errors.ts";
import { ensurePrivateDirectory } from "../storage/private-directory.ts";

/** Which lock is meant. */
export interface LockPlace {
  readonly lockDir: string;
  readonly configPath: string;
}

/** The directories whose ancestors were found safe, by path, with the inode that was looked at. */
const checked = new Map<string, bigint>();

/**
 * Returns `<lockDir>/gateway.<hash8>.lock`, where hash8 is the beginning of the sha256 of the config's real path. Of a
 * config that does not exist yet, the nearest existing ancestor is resolved.
 */
export function lockPathFor(lockDir: string, configPath: string): string {
  const digest = hash("sha256", realPath(resolve(configPath)), "hex");
  return join(resolve(lockDir), `gateway.${digest.slice(0, 8)}.lock`);
}

/**
 * On return the directory of locks exists, belongs to us and is closed to others, and so are its ancestors.
 *
 * @throws {LockkeeperError} UNSAFE_PATH and file errors, as `ensurePrivateDirectory`.
 */
export function ensureLockDirectory(lockDir: string): void {
  const directory = resolve(lockDir);
  const known = checked.get(directory);
  if (known !== undefined && isStillPrivate(directory, known)) return;
  ensurePrivateDirectory(directory);
  const inode = lstatSync(directory, { bigint: true, throwIfNoEntry: false })?.ino;
  if (inode !== undefined) checked.set(directory, inode);
}

function isStillPrivate(directory: string, inode: bigint): boolean {
  const stats = lstatSync(directory, { bigint: true, throwIfNoEntry: false });
  return stats?.ino === inode && stats.isDirectory() && (stats.mode & 0o022n) === 0n;
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== "ENOENT" || parent === path) throw fileError(error, "resolve the config's path", path);
    return join(realPath(parent), basename(path));
  }
}
