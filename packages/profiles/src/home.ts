/** The one root on disk: where it is, and whether it is safe to keep state in it. */
import { LockkeeperError } from "@lockkeeper/core";
import {
  ensurePrivateDirectories,
  fileError,
  fileKind,
  isSafeWay,
  refuseUnsafeDirectory,
} from "@lockkeeper/core/internal";
import { lstatSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { userInfo } from "node:os";
import { dirname, isAbsolute, resolve } from "node:path";
import { isProfileName } from "./profile-name.ts";
import { homePaths, profilePaths } from "./profile-paths.ts";

/**
 * Returns the home that was given, else the one of `env`, with one spelling. Reads a few inodes; changes nothing.
 *
 * @throws {LockkeeperError} OPTION_INVALID as {@link resolveHome} and {@link requireOwnDirectory}.
 */
export function locateHome(env: NodeJS.ProcessEnv, given?: string): string {
  // An empty text is no path: like an empty variable, it must not mean the working directory.
  const home = given === undefined || given === "" ? resolveHome(env) : given;
  return resolveOwnLink(requireOwnDirectory(resolve(home), env));
}

/**
 * Returns the home that `env` names, or `~/.lockkeeper`. Touches nothing.
 *
 * @throws {LockkeeperError} OPTION_INVALID when LOCKKEEPER_HOME, or the HOME that counts instead, is not absolute: a relative
 * one would be another home in every directory.
 */
export function resolveHome(env: NodeJS.ProcessEnv): string {
  const named = env["LOCKKEEPER_HOME"];
  // An empty variable counts as unset: `LOCKKEEPER_HOME= lockkeeper list` must not mean the working directory.
  if (named === undefined || named === "") return resolve(userHome(env), ".lockkeeper");
  if (!isAbsolute(named)) {
    throw new LockkeeperError("OPTION_INVALID", `LOCKKEEPER_HOME is not an absolute path: ${JSON.stringify(named)}`, {
      hint: "Set it to an absolute path, or leave it unset for ~/.lockkeeper.",
    });
  }
  return named;
}

function userHome(env: NodeJS.ProcessEnv): string {
  const named = env["HOME"] || recordedHome();
  if (named !== undefined && isAbsolute(named)) return named;
  const fact =
    named === undefined ? "is not set, and this user has none" : `is not an absolute path: ${JSON.stringify(named)}`;
  throw new LockkeeperError("OPTION_INVALID", `HOME ${fact}`, { hint: "Set LOCKKEEPER_HOME to an absolute path." });
}

/** The home on record in the system; the user id of a container may have none. */
function recordedHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}

/**
 * Returns `home`, unless that directory serves another purpose: our files would then lie among files that are not ours.
 *
 * @throws {LockkeeperError} OPTION_INVALID for the root of the file system and the user's own home directory.
 */
export function requireOwnDirectory(home: string, env: NodeJS.ProcessEnv): string {
  const user = env["HOME"] || recordedHome();
  const isSame = isSameDirectoryAs(home);
  const what = isSame(resolve(home, "/"))
    ? "the root of the file system"
    : user !== undefined && isSame(user)
      ? "your home directory"
      : undefined;
  if (what === undefined) return home;
  throw new LockkeeperError("OPTION_INVALID", `LOCKKEEPER_HOME cannot be ${what}: ${home}`, {
    hint: "Set it to a directory of its own, or leave it unset for ~/.lockkeeper.",
  });
}

/** Compared by inode too, because another spelling or a link on the way may lead to the same place. */
function isSameDirectoryAs(a: string): (b: string) => boolean {
  let one: Stats | undefined;
  return (b) => {
    if (a === b) return true;
    try {
      one ??= statSync(a);
      const other = statSync(b);
      if (one.ino !== other.ino || one.dev !== other.dev) return false;
      // Equal as far as a number can tell.
      return statSync(a, { bigint: true }).ino === statSync(b, { bigint: true }).ino;
    } catch {
      // A missing or unreadable directory is not one of the user's places.
      return false;
    }
  };
}

/**
 * On return `home` and the folders in it are directories that only we can write, created if need be. A link in their place is
 * refused, because we would move and remove files elsewhere.
 *
 * @throws {LockkeeperError} UNSAFE_PATH for a link, a foreign owner, a mode that lets others write.
 * @throws {LockkeeperError} PERMISSION_DENIED, DISK_READ_ONLY, DISK_FULL, IO_FAILED with path and errno.
 */
export function ensureHome(home: string): void {
  const { profiles, run, trash } = homePaths(home);
  ensurePrivateDirectories([home, profiles, run, trash]);
}

/**
 * Returns `home`, or its target when it is a link of this user or of root. It is resolved once, so that every path below has
 * one spelling and a later change of the link cannot split a run. Another user's link is not followed; {@link requireSafeHome}
 * refuses it.
 */
export function resolveOwnLink(home: string): string {
  try {
    const stats = lstatSync(home, { throwIfNoEntry: false });
    if (stats === undefined || fileKind(stats) !== "link") return home;
    if (stats.uid !== process.geteuid?.() && stats.uid !== 0) return home;
    const real = realpathSync.native(home);
    // A link that leads on by one that another user may re-point stays a link, which is refused.
    return isSafeWay(home) || !isSafeWay(real) ? real : home;
  } catch (error) {
    throw fileError(error, "look at", home);
  }
}

/**
 * Returns when the content of `home` can be trusted: the home, its folders and those of the profile `name` are missing, or are
 * directories that only we and root can change. Reads a few inodes; changes nothing.
 *
 * @throws {LockkeeperError} UNSAFE_PATH naming path, owner or mode; PERMISSION_DENIED, IO_FAILED.
 */
export function requireSafeHome(home: string, name?: string): void {
  const { profiles, run } = homePaths(home);
  refuseUnsafeDirectory(home, "checked");
  for (const each of [profiles, run]) refuseUnsafeDirectory(each, "unchecked");
  if (name === undefined || !isProfileName(name)) return;
  const { profile, lock, logs, config } = profilePaths(home, name);
  for (const each of [profile, lock, logs, dirname(config)]) refuseUnsafeDirectory(each, "unchecked");
}
