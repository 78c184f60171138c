/**
 * Says whether a recorded owner may live where we would not see its lock. The kernel's locks cover one machine, an abstract
 * socket covers one network namespace. An unknown owner counts as living. For the claims by either mechanism.
 */
import { dirname } from "node:path";

import { networkFileSystem } from "../../host/file-system.ts";
import { judgeProcess, ownIdentity } from "../../host/process-identity.ts";
import { ownNetworkNamespace } from "../../host/proc.ts";
import type { LockRecord } from "../lock-record.ts";

/** Our network namespace in the same boot: if that socket is held, we see it. */
export function isSocketVisible(record: LockRecord): boolean {
  return record.bootId === ownIdentity().bootId && record.networkNamespace === ownNetworkNamespace();
}

/** Whether the record's owner may live where neither the kernel's list nor our sockets would show it. */
export function mayLiveElsewhere(record: LockRecord, path: string): boolean {
  if (record.bootId !== ownIdentity().bootId) return isOnNetwork(path);
  if (record.mechanism === "kernel" || isSocketVisible(record)) return false;
  return judgeProcess(record) !== "gone";
}

/** Whether two owners of one file through different mounts could both get its lock. Then only processes can tell. */
export function isOnNetwork(path: string): boolean {
  return networkFileSystem(dirname(path)) !== undefined;
}
