/**
 * May a recorded owner live where we would not see its lock? The kernel's locks span one machine; an abstract socket spans
 * one network namespace. What cannot be told counts as living. For the claims by either mechanism.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";

import { judgeProcess, ownIdentity } from "../../host/process-identity.ts";
import { ownNetworkNamespace } from "../../host/proc.ts";
import type { LockRecord } from "../lock-record.ts";

/** Our network namespace in the same boot: if that socket is held, we see it. */
export function isSocketVisible(record: LockRecord): boolean {
  return record.bootId === ownIdentity().bootId && record.networkNamespace === ownNetworkNamespace();
}

/** May the record's owner live where neither the kernel's list nor our sockets would show it? */
export function mayLiveElsewhere(record: LockRecord, path: string): boolean {
  if (record.bootId !== ownIdentity().bootId) return isOnNetwork(path);
  if (record.mechanism === "kernel" || isSocketVisible(record)) return false;
  return judgeProcess(record) !== "gone";
}

/** File systems that several hosts may share. Source: statfs(2), and each one's magic.h. */
const NETWORK_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9p
  0x65735546, // FUSE: sshfs and its like
  0x00c36400, // Ceph
  0x5346414f, // AFS
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
]);

function isOnNetwork(path: string): boolean {
  return NETWORK_FILE_SYSTEMS.has(statfsSync(dirname(path)).type);
}
