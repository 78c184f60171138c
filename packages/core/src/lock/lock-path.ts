/**
 * The path of a config's lock: one file per config in its lock directory, named after the config as seen from that directory,
 * so that one home has one lock under all its paths (a bind mount, a volume, a home that was moved and linked). The directory
 * is checked each time, its ancestors once, because afterwards only we or root can change them.
 */
import { lstatSync, readdirSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";

import { errnoOf, fileError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { ensurePrivateDirectory } from "../storage/private-directory.ts";
import { realPath } from "../storage/real-path.ts";
import { isPath, optionCheck } from "../wrong-options.ts";

/** Which lock is meant. */
export interface LockPlace {
  /** The directory of the lock file. */
  readonly lockDir: string;
  /** The configuration to own; it need not exist. Every path to it means the same lock. */
  readonly configPath: string;
  /**
   * What one owner excludes. `config`: other owners of that config; the directory may hold locks of several configs.
   * `directory`: any other owner in the directory, whatever the name of its lock file. @default "config"
   */
  readonly scope?: LockScope | undefined;
}

/** @see LockPlace.scope */
export type LockScope = "config" | "directory";

/** The lock files of one place. */
export interface LockFiles {
  readonly path: string;
  /**
   * The file's name in release 0.1.0: locked too, so that its owners and ours exclude each other. The same as `path` for a
   * config outside of the lock directory's parent. Remove it in the release after this one.
   */
  readonly earlierPath: string;
}

/** The directories whose ancestors were found safe, by path, with the checked inode. */
const checked = new Map<string, bigint>();

/** The last names, because a hash costs as much as a system call. */
const names = new Map<string, string>();
const MAX_NAMES = 64;

const PREFIX = "gateway.";
const SUFFIX = ".lock";
const HASH_LENGTH = 8;

/**
 * Returns `<lockDir>/gateway.<hash8>.lock`, where hash8 is the beginning of the sha256 of the config's path: relative to the
 * lock directory's parent when it lies inside that, else its real path. For a missing config, the nearest existing ancestor is
 * resolved.
 *
 * @throws {LockkeeperError} file errors, when a real path cannot be resolved.
 */
export function lockPathFor(lockDir: string, configPath: string): string {
  const expect = optionCheck("lockPathFor");
  expect("lockDir", lockDir, "a path", isPath);
  expect("configPath", configPath, "a path", isPath);
  return lockFilesFor({ lockDir, configPath }).path;
}

/** Returns {@link lockPathFor} and the file's earlier name. */
export function lockFilesFor({ lockDir, configPath }: LockPlace): LockFiles {
  const directory = resolve(lockDir);
  const config = realPath(resolve(configPath));
  const inside = relative(realPath(dirname(directory)), config);
  const isInside = inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
  const earlierPath = `${directory}${sep}${nameFor(config)}`;
  const path = isInside ? `${directory}${sep}${nameFor(inside.replaceAll(sep, "/"))}` : earlierPath;
  return { path, earlierPath };
}

/** Returns the lock files in the directory besides `files`; none when there is no such directory. */
export function otherLockFiles({ path, earlierPath }: LockFiles): readonly string[] {
  return lockFilesIn(dirname(path)).filter((file) => file !== path && file !== earlierPath);
}

/** Returns the lock files in the directory; none when there is no such directory. */
export function lockFilesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter(isLockFile)
      .map((name) => `${directory}${sep}${name}`);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw fileError(error, "read the lock directory", directory);
  }
}

/** `gateway.<hash8>.lock` */
function isLockFile(name: string): boolean {
  if (name.length !== PREFIX.length + HASH_LENGTH + SUFFIX.length) return false;
  for (let at = PREFIX.length; at < PREFIX.length + HASH_LENGTH; at += 1)
    if (!"0123456789abcdef".includes(name.charAt(at))) return false;
  return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
}

/**
 * On return the lock directory exists, belongs to us and is closed to others, and so are its ancestors.
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

function nameFor(config: string): string {
  let name = names.get(config);
  if (name === undefined) {
    if (names.size >= MAX_NAMES) names.clear();
    name = `${PREFIX}${sha256(config).slice(0, HASH_LENGTH)}${SUFFIX}`;
    names.set(config, name);
  }
  return name;
}
