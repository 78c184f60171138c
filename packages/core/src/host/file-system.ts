/** Which file systems several hosts, or several views, may share, so that one machine's locks may not tell all. One table. */
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
 * Returns the name of the file system at `path` when other hosts may mount it too, else undefined. `fuse` may be that (sshfs) or
 * a second view of a local disk (bindfs): what is behind it is not told. Undefined outside of Linux.
 *
 * @throws system errors, as they are.
 */
export function networkFileSystem(path: string): string | undefined {
  return process.platform === "linux" ? SHARED_FILE_SYSTEMS.get(statfsSync(path).type) : undefined;
}
