/**
 * Rules for directories that we did not create: which of them a profile may use, and that no two profiles share one. The same
 * or nested real paths are refused, naming both. Changes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { PathLook, lstatIfPresent, realPath, shellCommand } from "@lockkeeper/core/internal";
import { existsSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Manifest } from "../manifest.ts";

/** A directory (or the config file) of a profile, by its real path. */
export interface OwnedDirectory {
  /** For display: `profile dev (/home/a/.lockkeeper)`. */
  readonly owner: string;
  readonly role: "state" | "config" | "workspace";
  readonly path: string;
}

/**
 * Returns the real path of an existing state directory that a profile may use.
 *
 * @throws {LockkeeperError} UNSAFE_PATH for a link, a user's home, a root, a git repository, a directory inside or around the
 * home of Lockkeeper itself, or something that is not a directory.
 */
export function checkStateDirectory(directory: string, userHome: string, home: string): string {
  const stats = lstatIfPresent(directory);
  if (stats === undefined) throw unfit(directory, "does not exist", "See what exists: lockkeeper discover");
  if (stats.isSymbolicLink()) {
    throw unfit(
      directory,
      `is a symbolic link to ${readlinkSync(directory)}`,
      `Name the directory it leads to: ${shellCommand("lockkeeper", "import", "openclaw", "--state-dir", realpathSync(directory))}`,
    );
  }
  if (!stats.isDirectory()) throw unfit(directory, "is not a directory", "Name the directory of the gateway's state.");
  const self = process.geteuid?.();
  if (self !== undefined && Number(stats.uid) !== self) {
    throw unfit(
      directory,
      `belongs to another user (uid ${stats.uid})`,
      "A gateway of another user is theirs: run it as that user.",
    );
  }
  const real = realpathSync(directory);
  const own = "Give the gateway a state directory of its own.";
  if (real === path.parse(real).root) throw unfit(directory, "is the root of the file system", own);
  if (real === realPath(userHome)) throw unfit(directory, "is a user's home directory", own);
  if (existsSync(path.join(real, ".git"))) {
    throw unfit(
      directory,
      "is a git repository",
      "Tokens and sessions would be committed: keep the state outside of it.",
    );
  }
  if (isSameOrNested(real, realPath(home)))
    throw unfit(directory, `shares its place with the home of Lockkeeper, ${home}`, own);
  return real;
}

/** Returns the directories of a profile of `home`. `look`: for a caller that asks about many profiles. */
export function directoriesOf(
  { name, paths }: Pick<Manifest, "name" | "paths">,
  home: string,
  look: PathLook = new PathLook(),
): readonly OwnedDirectory[] {
  const owner = `profile ${name} (${home})`;
  return [
    { owner, role: "state", path: look.realPath(paths.state) },
    // The file, not its directory, because an adopted config may lie directly in a user's home.
    { owner, role: "config", path: look.realPath(paths.config) },
    { owner, role: "workspace", path: look.realPath(paths.workspace) },
  ];
}

/**
 * Returns when no directory of `ours` is, contains or lies in one of `theirs`.
 *
 * @throws {LockkeeperError} DIRECTORY_SHARED naming both owners and the path.
 */
export function refuseShared(ours: readonly OwnedDirectory[], theirs: readonly OwnedDirectory[]): void {
  for (const mine of ours) {
    const other = theirs.find((each) => isSameOrNested(mine.path, each.path));
    if (other === undefined) continue;
    const relation = mine.path === other.path ? "is also" : mine.path.startsWith(other.path) ? "lies in" : "contains";
    throw new LockkeeperError(
      "DIRECTORY_SHARED",
      `the ${mine.role} of ${mine.owner} ${relation} the ${other.role} of ${other.owner}: ${other.path}`,
      { evidence: [mine.path, other.path], hint: "Two gateways must not share a directory: give one of them another." },
    );
  }
}

/** Returns whether two real paths are one, or one contains the other. */
export function isSameOrNested(a: string, b: string): boolean {
  return a === b || isWithin(a, b) || isWithin(b, a);
}

function isWithin(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith(path.sep) ? outer : outer + path.sep);
}

function unfit(directory: string, fact: string, hint: string): LockkeeperError {
  return new LockkeeperError("UNSAFE_PATH", `not fit for a gateway's state: ${directory} ${fact}`, { hint });
}
