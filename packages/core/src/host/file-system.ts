/**
 * The one table of file systems that several hosts or several mounts may share, where the locks of one machine may not be the
 * whole truth.
 */
import { statfsSync } from "node:fs";

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
