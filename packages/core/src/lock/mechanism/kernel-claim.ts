/**
 * A claim by the kernel lock: the file locked, ours at its place, no mark of an owner whose file has gone, no socket of an
 * owner by the other mechanism; then our record in it. Only through `tryClaim`.
 */
import type { Claim, ComposeRecord } from "./claim.ts";
import { FileClaim } from "./claim.ts";
import { isSocketVisible, mayLiveElsewhere } from "./foreign-owner.ts";
import { judgeOwner } from "../lock-owner.ts";
import type { LockRecord, ParsedLockRecord } from "../lock-record.ts";
import { parseLockRecord } from "../lock-record.ts";
import type { LockedFile } from "./locked-file.ts";
import { tryLockFile } from "./locked-file.ts";
import type { OwnerMark } from "./owner-mark.ts";
import { leaveOwnerMark } from "./owner-mark.ts";
import type { SocketLock } from "./socket-lock.ts";
import { trySocketLock } from "./socket-lock.ts";

/** Looks at the marks, one each turn of the event loop, before another's mark is believed to be a living owner's. */
const DYING_LOOKS = 3;

/**
 * Tries to claim `path` by the kernel lock, without waiting.
 *
 * @throws {KernelLockUnavailable} when there is none to be had; nothing was changed.
 */
export async function tryKernelClaim(
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

class KernelClaim extends FileClaim {
  override readonly mechanism = "kernel";
  #mark: OwnerMark;

  constructor(file: LockedFile, said: ParsedLockRecord, mark: OwnerMark) {
    super(file, said);
    this.#mark = mark;
  }

  override async restore(bytes: Uint8Array): Promise<"restored" | "refused"> {
    const { path } = this.file;
    if (this.#mark.isInPlace()) {
      const file = tryLockFile(path, { create: true });
      if (file === "refused" || file === "absent") return "refused";
      this.exchange(file);
    } else {
      // The directory itself is another one: who owns the path there has left a mark there.
      const locked = await lockAlone(path, leaveOwnerMark);
      if (locked === "refused") return "refused";
      this.exchange(locked.file);
      this.#mark.remove();
      this.#mark = locked.mark;
    }
    this.write(bytes);
    return "restored";
  }

  override async release(file: "remove" | "keep"): Promise<void> {
    this.#mark.remove();
    if (file === "remove") this.file.remove();
    this.file.close();
  }
}

/** With the kernel lock held: makes sure that the socket owner of the record is gone, by holding its socket meanwhile. */
async function excludeSocketOwner(path: string, record: LockRecord): Promise<SocketLock | "none" | "refused"> {
  if (process.platform === "linux" && isSocketVisible(record)) return trySocketLock(path);
  return mayLiveElsewhere(record, path) ? "refused" : "none";
}
