/** Looks at many paths, at each of them and of the folders around them once. */
import { existsSync, lstatSync } from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errnoOf, fileError } from "../errors.ts";
import { realPath } from "./real-path.ts";

/**
 * One look at many paths. For a single observation: what it has seen stays as it was then. Paths are absolute.
 */
export class PathLook {
  readonly #stats = new Map<string, Stats | undefined>();
  readonly #real = new Map<string, string>();

  /** Returns the stats of `path` itself, also of a link; undefined when nothing is there. Throws the system's errors as they are. */
  stats(path: string): Stats | undefined {
    const known = this.#stats.get(path);
    if (known !== undefined || this.#stats.has(path)) return known;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    this.#stats.set(path, stats);
    return stats;
  }

  /** Returns whether something is there, behind a link too; false when that cannot be seen. */
  exists(path: string): boolean {
    try {
      const stats = this.stats(path);
      return stats?.isSymbolicLink() === true ? existsSync(path) : stats !== undefined;
    } catch {
      return false;
    }
  }

  /** Returns whether nothing is there, in a folder that is; false when that cannot be seen. */
  isAbsent(path: string): boolean {
    try {
      return this.stats(path) === undefined && this.stats(dirname(path))?.isDirectory() === true;
    } catch {
      return false;
    }
  }

  /** Returns the same as {@link realPath}, which asks the system about every folder on the way to each path. Throws as it does. */
  realPath(path: string): string {
    const known = this.#real.get(path);
    if (known !== undefined) return known;
    const real = this.#resolve(path);
    this.#real.set(path, real);
    return real;
  }

  #resolve(path: string): string {
    const parent = dirname(path);
    // Elsewhere the system also knows the one spelling of a name, where capitals do not count.
    if (process.platform !== "linux" || parent === path || resolve(path) !== path) return realPath(path);
    const folder = this.realPath(parent);
    try {
      if (this.stats(path)?.isSymbolicLink() === true) return realPath(path);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw fileError(error, "resolve", path);
    }
    return folder === parent ? path : join(folder, basename(path));
  }
}
