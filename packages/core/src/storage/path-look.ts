/** Looks at many paths, at each of them and of the folders around them once. */
import { existsSync, lstatSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname, join, sep } from "node:path";
import { errnoOf, fileError } from "../errors.ts";
import type { Access } from "./bits-of-others.ts";
import { realPath } from "./real-path.ts";
import { fileKind } from "./file-kind.ts";
import { readAndLook } from "./small-file.ts";

/** What a look keeps of a path: the system's whole answer is several times as large, and a look keeps thousands. */
export interface Seen extends Access {
  /** A link itself, not what is behind it. */
  readonly kind: "directory" | "link" | "other";
  readonly dev: number;
  readonly ino: number;
}

/**
 * One look at many paths. For a single observation: what it has seen stays as it was then. Paths are absolute.
 */
export class PathLook {
  /** Null: nothing was there. */
  readonly #seen = new Map<string, Seen | null>();
  readonly #texts = new Map<string, string>();
  /** Of folders only: they are on the way to many paths. */
  readonly #realFolders = new Map<string, string>();

  /** Returns what is at `path` itself; undefined when nothing is there. Throws the system's errors as they are. */
  see(path: string): Seen | undefined {
    let seen = this.#seen.get(path);
    if (seen === undefined) {
      const stats = lstatSync(path, QUIETLY);
      seen = stats === undefined ? null : essenceOf(stats);
      this.#seen.set(path, seen);
    }
    return seen ?? undefined;
  }

  /** As {@link readIfPresentSync}; it also counts as a look at the path. */
  read(path: string): string | undefined {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    const found = readAndLook(path);
    // It follows no link, so this is the same as a look at the path.
    this.#seen.set(path, found === undefined ? null : essenceOf(found.stats));
    if (found !== undefined) this.#texts.set(path, found.text);
    return found?.text;
  }

  /** Returns what kind of thing is at `path` itself; `hidden` when that cannot be seen. */
  kindOf(path: string): Seen["kind"] | "absent" | "hidden" {
    try {
      return this.see(path)?.kind ?? "absent";
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return "hidden";
    }
  }

  /** Returns whether something is there, behind a link too; false when that cannot be seen. */
  exists(path: string): boolean {
    const kind = this.kindOf(path);
    return kind === "link" ? existsSync(path) : kind !== "absent" && kind !== "hidden";
  }

  /** Returns whether nothing is there, in a folder that is; false when that cannot be seen. */
  isAbsent(path: string): boolean {
    return this.kindOf(path) === "absent" && this.kindOf(placeOf(path)?.parent ?? dirname(path)) === "directory";
  }

  /** Returns the same as {@link realPath}, which asks the system about every folder on the way to each path. Throws as it does. */
  realPath(path: string): string {
    const place = placeOf(path);
    // Elsewhere the system also knows the one spelling of a name, where capitals do not count.
    if (process.platform !== "linux" || place === undefined) return realPath(path);
    const { parent, name } = place;
    let folder = this.#realFolders.get(parent);
    if (folder === undefined) {
      folder = this.realPath(parent);
      this.#realFolders.set(parent, folder);
    }
    try {
      if (this.see(path)?.kind === "link") return realPath(path);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      throw fileError(error, "resolve", path);
    }
    return folder === parent ? path : join(folder, name);
  }
}

/** Made once for thousands of looks. */
const QUIETLY = { throwIfNoEntry: false } as const;

/** Returns the folder and the name of an absolute path; undefined for the root, and for a path with an unusual spelling. */
function placeOf(path: string): { readonly parent: string; readonly name: string } | undefined {
  const at = path.lastIndexOf(sep);
  const name = path.slice(at + 1);
  if (at < 0 || !path.startsWith(sep) || name === "" || name === "." || name === "..") return undefined;
  return { parent: at === 0 ? sep : path.slice(0, at), name };
}

function essenceOf(stats: Stats): Seen {
  const { mode, uid, gid, ctimeMs, dev, ino } = stats;
  const kind = fileKind(stats);
  return { kind: kind === "directory" || kind === "link" ? kind : "other", mode, uid, gid, ctimeMs, dev, ino };
}
