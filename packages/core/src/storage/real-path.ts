/** Where a path really leads, also when its end does not exist yet. */
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
    // Native: a start asks for those of every profile.
    return realpathSync.native(path);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== "ENOENT" || parent === path) throw fileError(error, "resolve", path);
    return join(realPath(parent), basename(path));
  }
}

/** Returns what is at `path` itself, a link too; undefined when nothing is. Throws as {@link realPath}. */
export function lstatIfPresent(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, "look at", path);
  }
}
