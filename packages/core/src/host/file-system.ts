/**
 * Facts about file systems: which ones several hosts or several mounts may share, where the locks of one machine may not be the
 * whole truth; and whether one can be written. Changes nothing.
 */
import { accessSync, constants, statfsSync } from "node:fs";
import { LockkeeperError, errnoOf, fileError } from "../errors.ts";

/** Source: statfs(2), and the magic number of each in its kernel's header. */
const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x01021997, "9p"],
  [0x65735546, "fuse"],
  [0x00c36400, "ceph"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x0bd00bd0, "lustre"],
  [0x47504653, "gpfs"],
  [0x73757245, "coda"],
  [0x7461636f, "ocfs2"],
  [0x01161970, "gfs2"],
]);

/**
 * Returns the name of the file system at `path` when other hosts may mount it too, else undefined. `fuse` may be such a file
 * system (sshfs) or a second view of a local disk (bindfs): it does not say which. Undefined outside of Linux.
 *
 * @throws System errors, unchanged.
 */
export function networkFileSystem(path: string): string | undefined {
  return process.platform === "linux" ? SHARED_FILE_SYSTEMS.get(statfsSync(path).type) : undefined;
}

/**
 * Returns when files can be created in `directory`, as far as the system says without a write. A missing directory is no fault.
 *
 * @throws {LockkeeperError} DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED.
 */
export function requireWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw fileError(error, "write in", directory);
  }
}

/** Room for a few files of one block each: a lock, and on the same disk the record of the run beside the previous one. */
const BLOCKS_NEEDED = 4;

/**
 * As {@link requireWritable}; on return there also is room for a few small files.
 *
 * @throws {LockkeeperError} also DISK_FULL.
 */
export function requireRoom(directory: string): void {
  requireWritable(directory);
  try {
    const { blocks, bfree, bavail, files, ffree } = statfsSync(directory);
    // Root may use the blocks that are kept for it. A file system that counts neither says 0.
    const free = process.geteuid?.() === 0 ? bfree : bavail;
    if ((blocks > 0 && free < BLOCKS_NEEDED) || (files > 0 && ffree === 0)) throw full(directory);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw fileError(error, "look at the disk of", directory);
  }
}

function full(directory: string): LockkeeperError {
  return new LockkeeperError("DISK_FULL", `no room for another file: ${directory}`, {
    hint: "Free space on that disk, then run it again.",
  });
}
