/** Copies one plain file: its content, and the room that it does not take. Modes and times are the caller's. */
import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { copyFile } from "node:fs/promises";

/** A file that lacks less room than this has no hole that its copy would keep. */
const LEAST_MISSING_BYTES = 64 * 1024;

/** The unit of `blocks`, whatever the file system's own. */
const BLOCK_BYTES = 512;

/**
 * Copies the plain file `from`, of which `stats` were read, to `to`, which must not exist. Throws the system's errors as they are;
 * a partial copy may remain.
 *
 * @param signal ends the copy of a file with holes, which may take long; any other is copied to its end.
 */
export async function copyPlainFile(
  from: string,
  to: string,
  stats: Pick<Stats, "size" | "blocks">,
  signal?: AbortSignal,
): Promise<void> {
  if (hasHoles(stats)) return (await import("./sparse-copy.ts")).copySparse(from, to, signal);
  // A file system that can share blocks makes this cost nothing.
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** It takes so much less room than its size that it has holes, or lies compressed. */
function hasHoles({ size, blocks }: Pick<Stats, "size" | "blocks">): boolean {
  return size - blocks * BLOCK_BYTES >= LEAST_MISSING_BYTES;
}
