/**
 * Asks the kernel who owns a place of locks, without taking a lock and without believing a record: a record says who the owner
 * was, the kernel's list says whether somebody is. One look reads that list once, for any number of places. Linux only; elsewhere,
 * and where /proc hides the list, the answer is `unknown`.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";

import { errnoOf } from "../errors.ts";
import { KernelLockTable, MountDevices, kernelFileOf } from "../host/kernel-locks.ts";
import { findLockHolders } from "../host/lock-holders.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { judgeOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-path.ts";
import { lockPathFor } from "./lock-path.ts";
import type { LockRecord } from "./lock-record.ts";
import { markOffsetOf } from "./mechanism/owner-mark.ts";
import { readLockRecord } from "./read-lock-record.ts";

/** What the kernel says of a place. */
export type KernelAnswer =
  /** Nobody owns it: whatever a record says, its owner is gone. */
  | { readonly verdict: "free" }
  /** Somebody on this machine owns it, perhaps in another container or as another user. */
  | {
      readonly verdict: "held";
      /** The lock file that is held. */
      readonly path: string;
      /** Finds the processes that hold it, as far as they can be seen from here; empty: somewhere else. Walks over /proc. */
      findHolders(): readonly ProcessIdentity[];
    }
  | { readonly verdict: "unknown"; readonly reason: string };

/** One look at the kernel's locks: what it saw first stays its answer, so use it for one observation. */
export interface KernelLook {
  ask(place: LockPlace): KernelAnswer;
}

/** Begins a look. The kernel's list is read when the first lock file is found, and not at all when there is none. */
export function lookAtKernelLocks(): KernelLook {
  return new Look();
}

class Look implements KernelLook {
  readonly #mounts = new MountDevices();
  #table: KernelLockTable | "unread" | undefined = "unread";

  ask({ lockDir, configPath }: LockPlace): KernelAnswer {
    try {
      return this.#ask(lockPathFor(lockDir, configPath));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return { verdict: "unknown", reason: `the lock cannot be looked at (${errno})` };
    }
  }

  #ask(path: string): KernelAnswer {
    const directory = openToLook(dirname(path), fs.constants.O_DIRECTORY);
    if (directory === undefined) return { verdict: "free" };
    try {
      if (this.#isLocked(path)) return held(path, path);
      const { record } = readLockRecord(path);
      if (record?.mechanism === "socket" && judgeOwner(record).verdict !== "gone") return ownedBySocket(path, record);
      // An owner whose file was deleted a moment ago still has its mark.
      const marked = kernelFileOf(directory, this.#mounts);
      if (marked === undefined) throw new Hidden();
      return this.#read().countMarks(marked, markOffsetOf(path)) > 0 ? held(path, dirname(path)) : { verdict: "free" };
    } catch (error) {
      if (error instanceof Hidden) return { verdict: "unknown", reason: "the kernel's locks cannot be seen in /proc" };
      throw error;
    } finally {
      fs.closeSync(directory);
    }
  }

  #isLocked(path: string): boolean {
    const fd = openToLook(path);
    if (fd === undefined) return false;
    try {
      const name = kernelFileOf(fd, this.#mounts);
      if (name === undefined) throw new Hidden();
      return this.#read().isLocked(name);
    } finally {
      fs.closeSync(fd);
    }
  }

  #read(): KernelLockTable {
    if (this.#table === "unread") this.#table = KernelLockTable.read();
    if (this.#table === undefined) throw new Hidden();
    return this.#table;
  }
}

/** The host does not show its locks. */
class Hidden extends Error {}

function held(path: string, lockedPath: string): KernelAnswer {
  return { verdict: "held", path, findHolders: () => findLockHolders(lockedPath) };
}

/** The kernel's list does not show sockets: here only the record's own process can tell. */
function ownedBySocket(path: string, record: LockRecord): KernelAnswer {
  if (judgeOwner(record).verdict === "unknown") {
    return { verdict: "unknown", reason: `its owner (pid ${record.pid}) holds it by a socket, if it lives` };
  }
  return { verdict: "held", path, findHolders: () => [record] };
}

/** Opens what is there without following a link or waiting; undefined when nothing is. */
function openToLook(path: string, flags = 0): number | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
