/** The one root on disk: which it is, and that it is safe to keep things in. */
import { ensurePrivateDirectory, fileError, LockkeeperError, refuseUnsafeDirectory } from "@lockkeeper/core";
import { lstatSync, realpathSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, isAbsolute, join, parse } from "node:path";
import { isProfileName } from "./profile-name.ts";
import { homePaths, profilePaths } from "./profile-paths.ts";

/**
 * Returns the home that `env` names, or `~/.lockkeeper`. Touches nothing.
 *
 * @throws {LockkeeperError} OPTION_INVALID when LOCKKEEPER_HOME, or the HOME that counts instead, is not absolute:
 * relative, it would be another home in every directory.
 */
export function resolveHome(env: NodeJS.ProcessEnv): string {
  const named = env["LOCKKEEPER_HOME"];
  // An empty variable counts as none: `LOCKKEEPER_HOME= lockkeeper list` must not mean the working directory.
  if (named === undefined || named === "") return join(userHome(env), ".lockkeeper");
  if (!isAbsolute(named)) {
    throw new LockkeeperError("OPTION_INVALID", `LOCKKEEPER_HOME is not an absolute path: ${JSON.stringify(named)}`, {
      hint: "Set it to an absolute path, or leave it unset for ~/.lockkeeper.",
    });
  }
  return join(named);
}

function userHome(env: NodeJS.ProcessEnv): string {
  const named = env["HOME"] || recordedHome();
  if (named !== undefined && isAbsolute(named)) return named;
  const fact =
    named === undefined ? "is not set, and this user has none" : `is not an absolute path: ${JSON.stringify(named)}`;
  throw new LockkeeperError("OPTION_INVALID", `HOME ${fact}`, { hint: "Set LOCKKEEPER_HOME to an absolute path." });
}

/** What the system has on record; a user id of a container may have nothing. */
function recordedHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}

/**
 * Returns `home`, unless it is a directory that is there for something else: what we make, close to others and remove
 * there would lie between things that are not ours.
 *
 * @throws {LockkeeperError} OPTION_INVALID for the root of the file system and the user's own home directory.
 */
export function requireOwnDirectory(home: string, env: NodeJS.ProcessEnv): string {
  const user = env["HOME"] || recordedHome();
  const what = isSameDirectory(home, parse(home).root)
    ? "the root of the file system"
    : user !== undefined && isSameDirectory(home, user)
      ? "your home directory"
      : undefined;
  if (what === undefined) return home;
  throw new LockkeeperError("OPTION_INVALID", `LOCKKEEPER_HOME cannot be ${what}: ${home}`, {
    hint: "Set it to a directory of its own, or leave it unset for ~/.lockkeeper.",
  });
}

/** By inode too: another spelling, or a link on the way, leads to the same place. */
function isSameDirectory(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    const [one, other] = [statSync(a, { bigint: true }), statSync(b, { bigint: true })];
    return one.ino === other.ino && one.dev === other.dev;
  } catch {
    // One that is not there, or that we may not look at, is no place of the user's.
    return false;
  }
}

/**
 * On return `home` and the folders in it are directories that only we can write, created if need be. A link in their
 * place is refused: what is moved and removed there would be somebody else's.
 *
 * @throws {LockkeeperError} UNSAFE_PATH for a link, a foreign owner, a mode that lets others write.
 * @throws {LockkeeperError} PERMISSION_DENIED, DISK_READ_ONLY, DISK_FULL, IO_FAILED with path and errno.
 */
export function ensureHome(home: string): void {
  const { profiles, run, trash } = homePaths(home);
  for (const directory of [home, profiles, run, trash]) ensurePrivateDirectory(directory);
}

/**
 * Returns `home`, or where it leads when it is a link of the user's own (or root's): resolved once, so that every path
 * below has one spelling and no later change of the link splits a run in two. Another's link stays what it is, and is
 * refused by {@link requireSafeHome}.
 */
export function resolveOwnLink(home: string): string {
  try {
    const stats = lstatSync(home, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() !== true) return home;
    return stats.uid === process.geteuid?.() || stats.uid === 0 ? realpathSync.native(home) : home;
  } catch (error) {
    throw fileError(error, "look at", home);
  }
}

/**
 * Returns when what `home` says may be acted on: it, the folders in it and those of the profile `name` are missing, or
 * directories that only we and root can change. A few looks at inodes; makes and changes nothing.
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
