/**
 * One exclusive claim on one path, by whichever mechanism is to be had: the kernel lock on the file, else (Linux) the
 * abstract socket that stands for it. The two do not see each other, so each side leaves a mark before it looks for the
 * other's: the kernel side locks, then reads the record; the socket side writes its record, then reads the kernel's list
 * of locks. Whoever is second sees the first and withdraws. What cannot be told (another host, another network
 * namespace) counts as taken. For the gateway lock and the mutex, who add waiting and wording.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";

import { GatewayLockError } from "../errors.ts";
import { judgeProcess, ownIdentity } from "../host/process-identity.ts";
import { KernelLockUnavailable } from "./kernel-lock.ts";
import type { LockMechanism, LockRecord, ParsedLockRecord } from "./lock-record.ts";
import { LOCK_RECORD_BYTES, parseLockRecord } from "./lock-record.ts";
import { findKernelLock } from "./lock-table.ts";
import { judgeOwner } from "./lock-owner.ts";
import { LockedFile, tryLockFile } from "./locked-file.ts";
import type { OwnerMark } from "./owner-mark.ts";
import { NO_MARK, leaveOwnerMark } from "./owner-mark.ts";
import type { SocketLock } from "./socket-lock.ts";
import { ownNetworkNamespace, trySocketLock } from "./socket-lock.ts";

/** Returns the bytes of the record for a claim held by `mechanism`. */
export type ComposeRecord = (mechanism: LockMechanism) => Uint8Array;

/** An exclusive claim, held until `release` or the end of the process. */
export interface Claim {
  readonly mechanism: LockMechanism;
  /** The lock file's descriptor. With the kernel mechanism, who inherits it shares the claim. */
  readonly fd: number;
  /** What the file said before; undefined when we made it. */
  readonly previous: ParsedLockRecord | undefined;
  /** Does the path still name our file? */
  isInPlace(): "yes" | "no" | "unknown";
  /** Writes the record anew, in place. */
  write(bytes: Uint8Array): void;
  /** Puts the file back where it was removed or replaced; `refused` when somebody else owns the path by now. */
  restore(bytes: Uint8Array): Promise<"restored" | "refused">;
  /** Lets the claim go; with `remove` the file goes first. Harmless twice. */
  release(file: "remove" | "keep"): Promise<void>;
}

/** How to claim. */
export interface ClaimOptions {
  /** In order of preference. @default kernel, socket */
  readonly mechanisms?: readonly LockMechanism[] | undefined;
  /** A file that `stays` is never deleted in good order; then no owner is marked, which saves milliseconds. @default "comes and goes" */
  readonly file?: "comes and goes" | "stays" | undefined;
}

/** In order of preference. */
export const MECHANISMS: readonly LockMechanism[] = ["kernel", "socket"];

/** Looks at the marks, one each turn of the event loop, before another's mark is believed to be a living owner's. */
const DYING_LOOKS = 3;

/** Removals of the file, by others, that one attempt puts up with. */
const MAX_RACES = 100;

/**
 * Tries to claim `path`, without waiting. On return of a claim its record is in the file.
 *
 * @throws {GatewayLockError} LOCK_UNSUPPORTED when there is no mechanism that would be safe.
 * @throws {LockkeeperError} UNSAFE_PATH and file errors.
 */
export async function tryClaim(
  path: string,
  compose: ComposeRecord,
  { mechanisms = MECHANISMS, file = "comes and goes" }: ClaimOptions = {},
): Promise<Claim | "refused"> {
  const leaveMark = file === "stays" ? () => NO_MARK : leaveOwnerMark;
  let cause: unknown;
  if (mechanisms.includes("kernel")) {
    try {
      return await tryKernelClaim(path, compose, leaveMark);
    } catch (error) {
      if (!(error instanceof KernelLockUnavailable)) throw error;
      cause = error;
    }
  }
  if (mechanisms.includes("socket") && process.platform === "linux" && ownNetworkNamespace() !== null) {
    return trySocketClaim(path, compose);
  }
  throw unsupported(path, cause);
}

async function tryKernelClaim(
  path: string,
  compose: ComposeRecord,
  leaveMark: typeof leaveOwnerMark,
): Promise<Claim | "refused"> {
  const locked = await lockAlone(path, leaveMark);
  if (locked === "refused") return "refused";
  const { file, said, mark } = locked;
  try {
    const rival = said.record?.mechanism === "socket" ? await excludeSocketOwner(path, said.record) : "none";
    if (rival !== "refused") {
      file.write(compose("kernel"));
      if (rival !== "none") await rival.release();
      // Only now does a newcomer see us, by our mark or by our record. Had the file been deleted or replaced before, one
      // may have come and gone already without a trace of us.
      if (file.isInPlace() === "yes") return new KernelClaim(file, said, mark);
    }
  } catch (error) {
    withdraw(file, mark);
    throw error;
  }
  withdraw(file, mark);
  return "refused";
}

interface LockedAlone {
  readonly file: LockedFile;
  readonly mark: OwnerMark;
  readonly said: ParsedLockRecord;
}

/** Locks the file and makes sure that no owner lives whose own file was deleted or replaced. */
async function lockAlone(path: string, leaveMark: typeof leaveOwnerMark): Promise<LockedAlone | "refused"> {
  const file = tryLockFile(path, { create: true });
  if (file === "refused" || file === "absent") return "refused";
  let mark: OwnerMark | undefined;
  try {
    mark = leaveMark(path);
    const said = parseLockRecord(file.read());
    // Who wrote that record had made sure, and nobody has owned since: this is the leftover of a dead owner, no more.
    if (said.record !== null && judgeOwner(said.record).verdict === "gone") return { file, mark, said };
    // The kernel closes a dying owner's descriptors one by one: its mark may outlive its lock by microseconds.
    for (let look = 0; look < DYING_LOOKS; look++) {
      if (mark.isAlone()) return { file, mark, said };
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    withdraw(file, mark);
    throw error;
  }
  withdraw(file, mark);
  return "refused";
}

function withdraw(file: LockedFile, mark: OwnerMark | undefined): void {
  mark?.remove();
  if (file.origin === "created") file.remove();
  file.close();
}

class KernelClaim implements Claim {
  readonly mechanism = "kernel";
  readonly previous: ParsedLockRecord | undefined;
  #file: LockedFile;
  #mark: OwnerMark;

  constructor(file: LockedFile, said: ParsedLockRecord, mark: OwnerMark) {
    this.#file = file;
    this.#mark = mark;
    this.previous = file.origin === "created" ? undefined : said;
  }

  get fd(): number {
    return this.#file.fd;
  }

  isInPlace(): "yes" | "no" | "unknown" {
    return this.#file.isInPlace();
  }

  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
  }

  async restore(bytes: Uint8Array): Promise<"restored" | "refused"> {
    const { path } = this.#file;
    if (!this.#mark.isInPlace()) {
      // The directory itself is another one: who owns the path there has left a mark there.
      const locked = await lockAlone(path, leaveOwnerMark);
      if (locked === "refused") return "refused";
      this.#replace(locked.file, bytes);
      this.#mark.remove();
      this.#mark = locked.mark;
      return "restored";
    }
    const file = tryLockFile(path, { create: true });
    if (file === "refused" || file === "absent") return "refused";
    this.#replace(file, bytes);
    return "restored";
  }

  #replace(file: LockedFile, bytes: Uint8Array): void {
    this.#file.close();
    this.#file = file;
    file.write(bytes);
  }

  async release(file: "remove" | "keep"): Promise<void> {
    this.#mark.remove();
    if (file === "remove") this.#file.remove();
    this.#file.close();
  }
}

async function trySocketClaim(path: string, compose: ComposeRecord): Promise<Claim | "refused"> {
  const socket = await trySocketLock(path);
  if (socket === "refused") return "refused";
  try {
    const marked = markFile(path, compose("socket"));
    if (marked !== "refused") return new SocketClaim(socket, marked.file, marked.said);
  } catch (error) {
    await socket.release();
    throw error;
  }
  await socket.release();
  return "refused";
}

class SocketClaim implements Claim {
  readonly mechanism = "socket";
  readonly previous: ParsedLockRecord | undefined;
  readonly #socket: SocketLock;
  #file: LockedFile;

  constructor(socket: SocketLock, file: LockedFile, said: ParsedLockRecord) {
    this.#socket = socket;
    this.#file = file;
    this.previous = file.origin === "created" ? undefined : said;
  }

  get fd(): number {
    return this.#file.fd;
  }

  isInPlace(): "yes" | "no" | "unknown" {
    return this.#file.isInPlace();
  }

  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
  }

  async restore(bytes: Uint8Array): Promise<"restored" | "refused"> {
    const marked = markFile(this.#file.path, bytes);
    if (marked === "refused") return "refused";
    this.#file.close();
    this.#file = marked.file;
    return "restored";
  }

  async release(file: "remove" | "keep"): Promise<void> {
    if (file === "remove") this.#file.remove();
    // A record that stays must not go on telling other namespaces of an owner.
    else this.#file.write(Buffer.alloc(LOCK_RECORD_BYTES, " "));
    this.#file.close();
    await this.#socket.release();
  }
}

/** With our socket held: leaves our record in the file and makes sure that nobody holds it by the kernel. */
function markFile(path: string, bytes: Uint8Array): { file: LockedFile; said: ParsedLockRecord } | "refused" {
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
      // In this order: an owner by the kernel lock removes the file before it lets the lock go.
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
  const answer = findKernelLock(file.inode);
  if (answer === "unknown") throw unsupported(file.path, new Error("/proc/locks cannot be read"));
  return answer === "not-locked";
}

/** With the kernel lock held: makes sure that the socket owner of the record is gone, by holding its socket meanwhile. */
async function excludeSocketOwner(path: string, record: LockRecord): Promise<SocketLock | "none" | "refused"> {
  if (process.platform === "linux" && isSocketVisible(record)) return trySocketLock(path);
  return mayLiveElsewhere(record, path) ? "refused" : "none";
}

/** Our network namespace in the same boot: if that socket is held, we see it. */
function isSocketVisible(record: LockRecord): boolean {
  return record.bootId === ownIdentity().bootId && record.networkNamespace === ownNetworkNamespace();
}

/** May the record's owner live where neither the kernel's list nor our sockets would show it? */
function mayLiveElsewhere(record: LockRecord, path: string): boolean {
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

function unsupported(path: string, cause: unknown): GatewayLockError {
  const reason = cause instanceof Error ? cause.message : "every mechanism was ruled out";
  return new GatewayLockError("LOCK_UNSUPPORTED", `no safe lock is to be had for ${path}: ${reason}`, {
    cause,
    hint: "Put the lock directory on a local disk, and run a Node for which fs-native-extensions has a prebuilt file.",
  });
}
