/**
 * A claim by the abstract socket: we hold the socket, our record is in the file, and no process has the kernel lock on it.
 * Only called by `tryClaim`.
 */
import { GatewayLockError } from "../../errors.ts";
import { KernelLockTable, MountTable, kernelFileOf } from "../../host/kernel-locks.ts";
import type { Claim, ClaimedFile, ComposeRecord } from "./claim.ts";
import { FileClaim } from "./claim.ts";
import { mayLiveElsewhere } from "./foreign-owner.ts";
import type { LockFiles } from "../lock-path.ts";
import { LOCK_RECORD_BYTES, parseLockRecord } from "../lock-record.ts";
import { LockedFile } from "./locked-file.ts";
import type { SocketLock } from "./socket-lock.ts";
import { trySocketLock } from "./socket-lock.ts";

/** How many removals of the file by others one attempt tolerates. */
const MAX_RACES = 100;

/**
 * Tries to claim `files` by their sockets, without waiting.
 *
 * @throws {GatewayLockError} LOCK_UNSUPPORTED when the host does not show its kernel locks.
 */
export async function trySocketClaim(
  { path, earlierPath }: LockFiles,
  compose: ComposeRecord,
): Promise<Claim | "refused"> {
  const sockets: SocketLock[] = [];
  const files: ClaimedFile[] = [];
  let isOurs = false;
  try {
    for (const name of new Set([path, earlierPath])) {
      const socket = await trySocketLock(name);
      if (socket === "refused") return "refused";
      sockets.push(socket);
      const marked = markFile(name, compose("socket"));
      if (marked === "refused") return "refused";
      files.push(marked);
    }
    isOurs = true;
    return new SocketClaim(sockets, files);
  } finally {
    if (!isOurs) await new SocketClaim(sockets, files).release("remove");
  }
}

class SocketClaim extends FileClaim {
  override readonly mechanism = "socket";
  readonly #sockets: readonly SocketLock[];

  constructor(sockets: readonly SocketLock[], files: readonly ClaimedFile[]) {
    super(files);
    this.#sockets = sockets;
  }

  override async restore(bytes: Uint8Array): Promise<"restored" | "refused"> {
    for (const [index, { file }] of this.files.entries()) {
      if (file.isInPlace() !== "no") continue;
      const marked = markFile(file.path, bytes);
      if (marked === "refused") return "refused";
      file.close();
      this.files[index] = marked;
    }
    return "restored";
  }

  override async release(file: "remove" | "keep"): Promise<void> {
    for (const held of this.files.toReversed()) {
      if (file === "remove") held.file.remove();
      // A record that stays must not claim an owner towards other namespaces.
      else held.file.write(Buffer.alloc(LOCK_RECORD_BYTES, " "));
      held.file.close();
    }
    for (const socket of this.#sockets) await socket.release();
  }
}

/** Called with our socket held: leaves our record in the file and makes sure that no process holds its kernel lock. */
function markFile(path: string, bytes: Uint8Array): ClaimedFile | "refused" {
  for (let race = 0; race < MAX_RACES; race++) {
    const file = LockedFile.open(path, { create: true });
    if (file === "absent") continue;
    try {
      const said = parseLockRecord(file.read());
      if (!isKernelFree(file) || (said.record !== null && mayLiveElsewhere(said.record, path))) {
        file.close();
        return "refused";
      }
      file.write(bytes);
      // The order matters: an owner by the kernel lock removes the file before it releases the lock.
      const isFree = isKernelFree(file);
      if (isFree && file.isInPlace() === "yes") return { file, said };
      file.close();
      if (!isFree) return "refused";
    } catch (error) {
      file.close();
      throw error;
    }
  }
  return "refused";
}

function isKernelFree(file: LockedFile): boolean {
  const name = kernelFileOf(file.fd, new MountTable());
  const table = KernelLockTable.read();
  if (table === undefined || name === undefined) {
    throw unsupported(file.path, new Error("the kernel's locks cannot be seen in /proc"));
  }
  return !table.isLocked(name);
}

/** Returns the error for a host that offers no safe lock. */
export function unsupported(path: string, cause: unknown): GatewayLockError {
  const reason = cause instanceof Error ? cause.message : "every mechanism was ruled out";
  return new GatewayLockError("LOCK_UNSUPPORTED", `no safe lock is available for ${path}: ${reason}`, {
    cause,
    hint: "Put the lock directory on a local disk, and run a Node for which fs-native-extensions has a prebuilt file.",
  });
}
