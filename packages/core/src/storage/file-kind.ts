/**
 * What a file is, from its mode. Every command asks this of several files before it does anything, and Node compiles each of the
 * methods of its `Stats` when it is first called.
 */
import { constants } from "node:fs";
import type { BigIntStats, Stats } from "node:fs";

/** `other`: a pipe, a socket or a block device. */
export type FileKind = "link" | "directory" | "file" | "character device" | "other";

const { S_IFMT, S_IFLNK, S_IFDIR, S_IFREG, S_IFCHR } = constants;

/** Returns what the file with these stats is; of a link only when they are those of the link itself. */
export function fileKind({ mode }: Pick<Stats, "mode"> | Pick<BigIntStats, "mode">): FileKind {
  switch (Number(mode) & S_IFMT) {
    case S_IFDIR:
      return "directory";
    case S_IFREG:
      return "file";
    case S_IFLNK:
      return "link";
    case S_IFCHR:
      return "character device";
    default:
      return "other";
  }
}
