/**
 * Asks the kernel whether a lock place has an owner, without taking a lock and without trusting a record: a record says who
 * the owner was, the kernel's list says whether there is one. One look reads that list once, for any number of places. Linux
 * only; elsewhere, and where /proc hides the list, the answer is `unknown`.
 */
import * as fs from "node:fs";
import { resolve } from "node:path";

import { LockkeeperError, errnoOf } from "../errors.ts";
import type { KernelFile } from "../host/kernel-locks.ts";
import { KernelLockTable, MountTable, kernelFileOf } from "../host/kernel-locks.ts";
import { networkFileSystem } from "../host/file-system.ts";
import { findLockHolders, isLockedBy } from "../host/lock-holders.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { judgeOwner } from "./lock-owner.ts";
import { hasLockSockets } from "../host/lock-socket.ts";
import type { LockPlace } from "./lock-path.ts";
import { lockFilesFor, lockFilesIn } from "./lock-path.ts";
import type { LockRecord } from "./lock-record.ts";
import { isOnNetwork } from "./mechanism/foreign-owner.ts";
import { FIRST_MARK, earlierMarkOffsetOf, markOffsetOf } from "./mechanism/owner-mark.ts";
import type { Sighting } from "./read-lock-record.ts";
import { readLockRecord, readRecordOf } from "./read-lock-record.ts";
import { findRivalFiles } from "./rival-files.ts";

/** The kernel's answer about a place. */
export type KernelAnswer =
  /** Nobody owns it: whatever a record says, its owner has ended. */
  | { readonly verdict: "free" }
  /** A process on this machine owns it, perhaps in another container or as another user. */
  | {
      readonly verdict: "held";
      /** The lock file that is held. */
      readonly path: string;
      /** What was in that file at this look. */
      readonly seen: Sighting;
      /** Finds the visible processes that hold it; empty when they are elsewhere. Walks /proc. */
      findHolders(): readonly ProcessIdentity[];
    }
  | { readonly verdict: "unknown"; readonly reason: string };

/** One look at the kernel's locks. Its first answers stay, so use it for one observation only. */
export interface KernelLook {
  /** Says who owns a place, whatever the name of its lock file. */
  ask(place: LockPlace): KernelAnswer;
  /** Says who owns the lock file at `path`. */
  askFile(path: string): KernelAnswer;
  /**
   * Says whether the kernel's list has no lock of an owner in `directory` besides those that this look was asked about before.
   * Then every other place in it is free and need not be checked: one read for any number of places. False also where the list
   * may not show every owner: a shared file system, another disk below, an owner by a socket. An owner by a socket in another
   * network namespace is known by its record alone.
   */
  hasSeenAllIn(directory: string): boolean;
  /**
   * Says whether the kernel's list has no mark of an owner, here or in another container. Then a place whose directory has no lock
   * file is free. False also where the list cannot be seen.
   */
  listsNoMarks(): boolean;
}

/**
 * Begins a look. The kernel's list is read when it is needed for the first time.
 *
 * @param needs `list`: the list is read for the first lock file, since `hasSeenAllIn` will be asked. `answers`: it is not read
 * for a lock that its gateway is seen to hold. @default "answers"
 */
export function lookAtKernelLocks(needs: "answers" | "list" = "answers"): KernelLook {
  return new Look(needs === "list");
}

/** Under this number a keeper hands its open lock file to its gateway. */
const GATEWAY_LOCK_FD = 3;

const FREE: KernelAnswer = { verdict: "free" };

class Look implements KernelLook {
  readonly #mounts = new MountTable();
  readonly #seen = new Set<KernelFile>();
  readonly #answers = new Map<string, KernelAnswer>();
  readonly #needsList: boolean;
  #table: KernelLockTable | "unread" | undefined = "unread";

  constructor(needsList: boolean) {
    this.#needsList = needsList;
  }

  ask(place: LockPlace): KernelAnswer {
    const { lockDir, configPath, scope = "config" } = place;
    const key = [scope, lockDir, configPath].join("\0");
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = orUnknown(() => {
      const answers = pathsOf(place).map((path) => this.#askFile(path));
      const bad =
        answers.find(({ verdict }) => verdict === "held") ?? answers.find(({ verdict }) => verdict !== "free");
      return bad ?? this.#askMark(place);
    });
    this.#answers.set(key, answer);
    return answer;
  }

  askFile(path: string): KernelAnswer {
    return orUnknown(() => this.#askFile(path));
  }

  hasSeenAllIn(directory: string): boolean {
    try {
      if (process.platform !== "linux" || this.#read().listsOthers(this.#seen, FIRST_MARK)) return false;
      return !hasLockSockets() && networkFileSystem(directory) === undefined && !this.#mounts.hasBelow(directory);
    } catch {
      return false;
    }
  }

  listsNoMarks(): boolean {
    try {
      return this.#read().filesLockedFrom(FIRST_MARK).size === 0;
    } catch (error) {
      if (error instanceof Hidden || errnoOf(error) !== undefined) return false;
      throw error;
    }
  }

  #askFile(path: string): KernelAnswer {
    const fd = openLockFile(path);
    if (fd === undefined) return FREE;
    try {
      const seen = readRecordOf(fd);
      const { record } = seen;
      if (this.#isHeldByGatewayOf(record, fd) || this.#isLocked(fd)) return held(path, path, seen);
      if (record === null) return FREE;
      if (record.mechanism === "socket") return ofSocketOwner(path, record, seen);
      // A second view of the disk (FUSE) has its own locks: there only the process shows a living owner.
      const isElsewhere = judgeOwner(record).verdict === "alive" && isOnNetwork(path);
      return isElsewhere ? { verdict: "held", path, seen, findHolders: () => [record] } : FREE;
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Its record only says where to look. */
  #isHeldByGatewayOf(record: LockRecord | null, fd: number): boolean {
    const gateway = record?.gateway ?? null;
    return gateway !== null && !this.#needsList && isLockedBy(gateway.pid, GATEWAY_LOCK_FD, fd);
  }

  /** An owner whose file was just deleted still has its mark on the directory. */
  #askMark(place: LockPlace): KernelAnswer {
    const directory = resolve(place.lockDir);
    const fd = openToLook(directory, fs.constants.O_DIRECTORY);
    if (fd === undefined) return FREE;
    try {
      const table = this.#read();
      const allMarked = table.filesLockedFrom(FIRST_MARK);
      if (allMarked.size === 0) return FREE;
      const marked = kernelFileOf(fd, this.#mounts);
      if (marked === undefined) throw new Hidden();
      if (!allMarked.has(marked)) return FREE;
      const { path, earlierPath } = lockFilesFor(place);
      const offset = markOffsetOf(path, fs.fstatSync(fd, { bigint: true }).dev);
      const isMarked =
        table.countMarks(marked, offset) + table.countMarks(marked, earlierMarkOffsetOf(earlierPath)) > 0;
      return isMarked ? held(path, directory, readLockRecord(path)) : FREE;
    } finally {
      fs.closeSync(fd);
    }
  }

  #isLocked(fd: number): boolean {
    const name = kernelFileOf(fd, this.#mounts);
    if (name === undefined) throw new Hidden();
    this.#seen.add(name);
    return this.#read().isLocked(name);
  }

  #read(): KernelLockTable {
    if (this.#table === "unread") this.#table = KernelLockTable.read();
    if (this.#table === undefined) throw new Hidden();
    return this.#table;
  }
}

/** The lock files that may belong to an owner of the place. In a directory for a single config every lock file counts. */
function pathsOf(place: LockPlace): readonly string[] {
  if (place.scope === "directory") {
    const present = lockFilesIn(resolve(place.lockDir));
    if (present.length < 2) return present;
  }
  const files = lockFilesFor(place);
  return [...new Set([files.path, files.earlierPath, ...findRivalFiles(place, files)])];
}

/** The host does not list its locks. */
class Hidden extends Error {}

function held(path: string, lockedPath: string, seen: Sighting): KernelAnswer {
  return { verdict: "held", path, seen, findHolders: () => findLockHolders(lockedPath) };
}

/** The kernel's list has no sockets: here only the process in the record can tell. */
function ofSocketOwner(path: string, record: LockRecord, seen: Sighting): KernelAnswer {
  switch (judgeOwner(record).verdict) {
    case "alive":
      return { verdict: "held", path, seen, findHolders: () => [record] };
    case "gone":
      return FREE;
    case "unknown":
      return { verdict: "unknown", reason: `its owner (pid ${record.pid}) holds it by a socket, if it lives` };
  }
}

function orUnknown(ask: () => KernelAnswer): KernelAnswer {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Hidden) return { verdict: "unknown", reason: "the kernel's locks cannot be seen in /proc" };
    const errno = errnoOf(error) ?? (error instanceof LockkeeperError ? error.code : undefined);
    if (errno === undefined) throw error;
    return { verdict: "unknown", reason: `the lock cannot be looked at (${errno})` };
  }
}

/** Errors of an open that meets a link or a socket: no owner can have locked what is there. */
const NO_LOCK: ReadonlySet<string | undefined> = new Set(["ELOOP", "ENXIO"]);

/** Undefined when there is no lock file. */
function openLockFile(path: string): number | undefined {
  try {
    return openToLook(path);
  } catch (error) {
    if (NO_LOCK.has(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Opens a file without following a link or waiting; undefined when there is none. */
function openToLook(path: string, flags = 0): number | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
