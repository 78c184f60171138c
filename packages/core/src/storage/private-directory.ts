/**
 * The private directories that hold state. Hides the checks against a planted link, another user or an open mode, on the
 * directory and on the way to it. Never changes the mode of something that it did not create.
 */
import { shellCommand } from "../shell-quote.ts";
import * as fs from "node:fs";
import { dirname, relative, resolve } from "node:path";

import { LockkeeperError, errnoOf, fileError } from "../errors.ts";
import { isOpenToOthers, isPrivateGroup } from "./bits-of-others.ts";
import { fileKind } from "./file-kind.ts";
import { OUTSIDE, belongsToAnother, isForeign, runAsOwner, unsafePath, writtenByOthers } from "./private-file.ts";
import { lstatIfPresent } from "./real-path.ts";
import { isUnmapped } from "./unmapped-user.ts";

const DIRECTORY_MODE = 0o700;

/**
 * On return `path` is a directory that only we can write: it existed and was checked, or it was created with mode 0700 under
 * any umask, with its missing parents. Ancestors must belong to us or to root, and be closed to others unless sticky.
 *
 * @throws {LockkeeperError} UNSAFE_PATH naming path, owner or mode when the directory or an ancestor is another user's link,
 * belongs to another user, or can be written by others.
 * @throws {LockkeeperError} DISK_READ_ONLY, PERMISSION_DENIED, DISK_FULL, IO_FAILED with path and errno.
 */
export function ensurePrivateDirectory(path: string): void {
  ensurePrivateDirectories([path]);
}

/** The same for several, in their order. What is above them is checked once. Throws as {@link ensurePrivateDirectory}. */
export function ensurePrivateDirectories(paths: readonly string[]): void {
  const safeParents = new Set<string>();
  for (const path of paths) ensure(resolve(path), safeParents);
}

/** `safeParents`: what this call has checked already, with everything above. */
function ensure(directory: string, safeParents: Set<string>): void {
  const parent = dirname(directory);
  const existing = lstatIfPresent(directory);
  if (existing !== undefined) refuseUnlessPrivate(existing, directory, "us");
  if (existing === undefined && !safeParents.has(parent) && lstatIfPresent(parent) === undefined) {
    ensure(parent, safeParents);
  } else if (!safeParents.has(parent)) {
    refuseUnsafeAncestors(directory);
    safeParents.add(parent);
  }
  if (existing === undefined) createDirectory(directory);
}

/**
 * Returns when `path` does not exist, or is a directory that only we and root can change, so that its content can be trusted.
 * Changes nothing.
 *
 * @param ancestors `unchecked` when the ancestors of `path` were checked already.
 * @throws {LockkeeperError} UNSAFE_PATH as {@link ensurePrivateDirectory}; PERMISSION_DENIED, IO_FAILED.
 */
export function refuseUnsafeDirectory(path: string, ancestors: "checked" | "unchecked"): void {
  const existing = lstatIfPresent(path);
  if (existing === undefined) return;
  refuseUnlessPrivate(existing, path, "us or root");
  if (ancestors === "checked") refuseUnsafeAncestors(resolve(path));
}

function createDirectory(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: DIRECTORY_MODE });
    fs.chmodSync(directory, DIRECTORY_MODE);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw fileError(error, "create the directory", directory);
    // Another process was faster: its directory must pass the same checks.
    const existing = lstatIfPresent(directory);
    if (existing !== undefined) refuseUnlessPrivate(existing, directory, "us");
  }
}

function refuseUnlessPrivate(stats: fs.Stats, path: string, owner: "us" | "us or root"): void {
  const kind = fileKind(stats);
  if (kind === "link") throw unsafePath(path, "is a symbolic link", "Name the directory it points to instead.");
  if (kind !== "directory") throw unsafePath(path, "is not a directory");
  if (isForeign(stats) || (owner === "us" && isRoots(stats))) {
    throw unsafePath(path, belongsToAnother(stats), runAsOwner(stats));
  }
  if (isOpenToOthers(stats, path)) {
    // A sticky directory is shared on purpose.
    const hint =
      (stats.mode & 0o1000) === 0
        ? `Close it: ${shellCommand("chmod", "go-w", path)}`
        : "Name a directory inside of it.";
    throw unsafePath(path, writtenByOthers(stats), hint);
  }
}

/** An ancestor belongs to another user, so the hint must not advise to move it or change its mode. */
const ELSEWHERE = "Use a place that only you can write; for a home: export LOCKKEEPER_HOME=DIRECTORY";

/** As many as Linux follows. Source: MAXSYMLINKS of include/linux/namei.h */
const MOST_LINKS = 40;

/** Whether only we and root can change where `path`, or a link on the way to it, leads. */
export function isSafeWay(path: string): boolean {
  try {
    refuseUnsafeWay(path, path);
    return true;
  } catch (error) {
    if (error instanceof LockkeeperError) return false;
    throw error;
  }
}

function refuseUnsafeAncestors(directory: string): void {
  refuseUnsafeWay(dirname(directory), directory);
}

/** Checks `first` as written, each path to which a link in it leads (the owner of a link may re-point it), and the real path. */
function refuseUnsafeWay(first: string, directory: string): void {
  let way = first;
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const link = topLinkAmongSafe(way, directory);
    // Without a link on the way, the path as written is the real one.
    if (link === undefined && links === 0) return;
    if (link === undefined) break;
    way = resolve(dirname(link), readLink(link), relative(link, way));
  }
  let real: string;
  try {
    real = fs.realpathSync.native(first);
  } catch (error) {
    throw fileError(error, "reach", first);
  }
  // Differs where a link leads through another one and up again.
  if (real !== way) topLinkAmongSafe(real, directory);
}

function readLink(link: string): string {
  try {
    return fs.readlinkSync(link);
  } catch (error) {
    throw fileError(error, "follow", link);
  }
}

/** Checks `first`, on the way to `directory`, and everything above it; returns the highest link among them. */
function topLinkAmongSafe(first: string, directory: string): string | undefined {
  let link: string | undefined;
  for (let ancestor = first, below = ""; ancestor !== below; below = ancestor, ancestor = dirname(ancestor)) {
    const stats = lstatIfPresent(ancestor);
    if (stats === undefined) continue;
    if (isForeign(stats)) {
      throw unsafePath(
        directory,
        `lies in ${ancestor}, which ${belongsToAnother(stats)}`,
        isUnmapped(stats.uid) ? OUTSIDE : ELSEWHERE,
      );
    }
    if (fileKind(stats) === "link") {
      link = ancestor;
      continue;
    }
    const sticky = (stats.mode & 0o1000) !== 0;
    if (isOpenToOthers(stats, ancestor) && !sticky) {
      const isOurs = stats.uid === process.geteuid?.();
      const hint = isOurs ? `Close it: ${shellCommand("chmod", "go-w", ancestor)}` : ELSEWHERE;
      throw unsafePath(directory, `lies in ${ancestor}, which ${writtenByOthers(stats)}`, hint);
    }
  }
  return link;
}

/**
 * Whether it is root's and not ours to write into. What root handed to our private group is ours: Kubernetes does so with the root of
 * a volume.
 */
function isRoots(stats: fs.Stats): boolean {
  if (stats.uid !== 0 || process.geteuid === undefined || process.geteuid() === 0) return false;
  return !((stats.mode & 0o020) !== 0 && isPrivateGroup(stats));
}
