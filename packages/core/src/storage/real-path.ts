/** Resolves a path, also when its end does not exist yet. */
import { lstatSync, realpathSync } from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf, fileError } from "../errors.ts";

/**
 * Returns the real path; for a missing path, that of its nearest ancestor followed by the rest.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export function realPath(path: string): string {
  try {
    // Native, because a start resolves the paths of every profile.
    return realpathSync.native(path);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== "ENOENT" || parent === path) throw fileError(error, "resolve", path);
    return join(realPath(parent), basename(path));
  }
}

/** Returns the stats of `path` itself, also of a link; undefined when it does not exist. Throws as {@link realPath}. */
export function lstatIfPresent(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, "look at", path);
  }
}
