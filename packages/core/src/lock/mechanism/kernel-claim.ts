/**
 * A claim by the kernel lock: all files are locked and still at their paths, there is no mark of an owner whose file has gone,
 * and no socket of an owner by the other mechanism; then our record is in the files. Only called by `tryClaim`.
 */
import type { Claim, ClaimedFile, ComposeRecord } from "./claim.ts";
import { FileClaim } from "./claim.ts";
import { isOnNetwork, isSocketVisible, mayLiveElsewhere } from "./foreign-owner.ts";
import { judgeOwner } from "../lock-owner.ts";
import type { LockFiles } from "../lock-path.ts";
import type { LockRecord } from "../lock-record.ts";
import { parseLockRecord } from "../lock-record.ts";
import { tryLockFile } from "./locked-file.ts";
import type { OwnerMark } from "./owner-mark.ts";
import { leaveOwnerMark } from "./owner-mark.ts";
import type { SocketLock } from "./socket-lock.ts";
import { trySocketLock } from "./socket-lock.ts";

/** How often the marks are read, once each turn of the event loop, before another mark counts as a living owner's. */
const DYING_LOOKS = 3;

/** Leaves our mark as an owner of those files; undefined for files that are never deleted in normal operation. */
export type LeaveMark = typeof leaveOwnerMark | undefined;

/**
 * Tries to claim `files` by the kernel lock, without waiting.
 *
 * @throws {KernelLockUnavailable} when there is none; nothing was changed.
 */
export async function tryKernelClaim(
  files: LockFiles,
  compose: ComposeRecord,
  leaveMark: LeaveMark,
): Promise<Claim | "refused"> {
  const locked = await lockAlone(files, leaveMark);
  if (locked === "refused") return "refused";
  const rivals: SocketLock[] = [];
  try {
    if (await excludeSocketOwners(locked.files, rivals)) {
      const bytes = compose("kernel");
      for (const { file } of locked.files) file.write(bytes);
      for (const rival of rivals.splice(0)) await rival.release();
      // Only from here on a newcomer sees us, by our mark or by our record. If a file was deleted or replaced before, a
      // newcomer may have come and gone without seeing us.
      if (locked.files.every(({ file }) => file.isInPlace() === "yes")) {
        return new KernelClaim(files, locked);
      }
    }
  } catch (error) {
    withdraw(locked.files, locked.mark);
    throw error;
  } finally {
    for (const rival of rivals) await rival.release();
  }
  withdraw(locked.files, locked.mark);
  return "refused";
}

/**
 * The files to keep. Where marks exist, the file with the name of release 0.1.0 is not needed once it was locked: its record
 * is checked, and from then on our mark keeps such an owner out. So each lock has one file.
 */
function ownFilesOf({ files, mark }: LockedAlone): readonly ClaimedFile[] {
  if (mark === undefined) return files;
  for (const { file } of files.slice(1)) {
    file.remove();
    file.close();
  }
  return files.slice(0, 1);
}

interface LockedAlone {
  readonly files: readonly ClaimedFile[];
  readonly mark: OwnerMark | undefined;
}

/** Locks the files and makes sure that no owner lives whose own file was deleted or replaced. */
async function lockAlone(files: LockFiles, leaveMark: LeaveMark): Promise<LockedAlone | "refused"> {
  const locked: ClaimedFile[] = [];
  let mark: OwnerMark | undefined;
  try {
    if (lockAndRead(files.path, locked)) {
      mark = leaveMark?.(files);
      if (files.earlierPath === files.path || lockAndRead(files.earlierPath, locked)) {
        if (mark === undefined || (await isAlone(locked, mark))) return { files: locked, mark };
      }
    }
  } catch (error) {
    withdraw(locked, mark);
    throw error;
  }
  withdraw(locked, mark);
  return "refused";
}

/** Locks the file at `path` and appends it to `locked`, unless another process has it. */
function lockAndRead(path: string, locked: ClaimedFile[]): boolean {
  const file = tryLockFile(path, { create: true });
  if (file === "refused" || file === "absent") return false;
  try {
    locked.push({ file, said: parseLockRecord(file.read()) });
  } catch (error) {
    withdraw([{ file, said: { record: null, problem: "cannot be read" } }], undefined);
    throw error;
  }
  return true;
}

async function isAlone(locked: readonly ClaimedFile[], mark: OwnerMark): Promise<boolean> {
  // A second view of the disk (FUSE) has its own locks: there only the process shows a living owner.
  if (locked.some(namesLivingOwner) && locked.some(({ file }) => isOnNetwork(file.path))) return false;
  // Even a record of a dead owner proves nothing: the file may be an old copy that somebody put back under a living owner.
  // The kernel closes a dying owner's descriptors one by one: its mark may outlive its lock by microseconds.
  for (let look = 0; look < DYING_LOOKS; look++) {
    if (mark.isAlone()) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

function namesLivingOwner({ said }: ClaimedFile): boolean {
  return said.record !== null && judgeOwner(said.record).verdict === "alive";
}

function withdraw(locked: readonly ClaimedFile[], mark: OwnerMark | undefined): void {
  mark?.remove();
  for (const { file } of locked.toReversed()) {
    if (file.origin === "created") file.remove();
    file.close();
  }
}

class KernelClaim extends FileClaim {
  override readonly mechanism = "kernel";
  readonly #names: LockFiles;
  #mark: OwnerMark | undefined;

  constructor(names: LockFiles, locked: LockedAlone) {
    super(ownFilesOf(locked), locked.files);
    this.#names = names;
    this.#mark = locked.mark;
  }

  override async restore(bytes: Uint8Array): Promise<"restored" | "refused"> {
    if (this.#mark?.isInPlace() !== false) {
      for (const [index, { file, said }] of this.files.entries()) {
        if (file.isInPlace() !== "no") continue;
        const fresh = tryLockFile(file.path, { create: true });
        if (fresh === "refused" || fresh === "absent") return "refused";
        file.close();
        this.files[index] = { file: fresh, said };
      }
    } else {
      // The directory itself was replaced: an owner of the new one has left its mark there.
      const locked = await lockAlone(this.#names, leaveOwnerMark);
      if (locked === "refused") return "refused";
      for (const { file } of this.files.splice(0, Infinity, ...ownFilesOf(locked))) file.close();
      this.#mark.remove();
      this.#mark = locked.mark;
    }
    this.write(bytes);
    return "restored";
  }

  override async release(file: "remove" | "keep"): Promise<void> {
    this.#mark?.remove();
    // Released in reverse order, because the next process locks them in order.
    for (const held of this.files.toReversed()) {
      if (file === "remove") held.file.remove();
      held.file.close();
    }
  }
}

/**
 * Called with the kernel lock held: makes sure that no socket owner in the records lives, by holding its sockets meanwhile;
 * they are appended to `rivals`. False: one lives, or may live.
 */
async function excludeSocketOwners(locked: readonly ClaimedFile[], rivals: SocketLock[]): Promise<boolean> {
  for (const { file, said } of locked) {
    if (said.record?.mechanism !== "socket") continue;
    if (!(await excludeSocketOwner(file.path, said.record, rivals))) return false;
  }
  return true;
}

async function excludeSocketOwner(path: string, record: LockRecord, rivals: SocketLock[]): Promise<boolean> {
  if (process.platform !== "linux" || !isSocketVisible(record)) return !mayLiveElsewhere(record, path);
  const socket = await trySocketLock(path);
  if (socket === "refused") return false;
  rivals.push(socket);
  return true;
}
