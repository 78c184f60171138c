/**
 * One open lock file: opened without following or harming anything else at its path, locked, and compared with the file that
 * the path names now. The comparison closes the known hole of lock files: between our open and our lock the file may be
 * removed or replaced, and then our lock is on a file that no other process will ever open. The policy is in the files above.
 * All calls are synchronous and small: they touch one inode of a local disk.
 */
import * as fs from "node:fs";

import { errnoOf, fileError } from "../../errors.ts";
import { bitsOfOthers } from "../../storage/bits-of-others.ts";
import { OUTSIDE, belongsToAnother, notPlain, unsafePath, writtenByOthers } from "../../storage/private-file.ts";
import { isUnmapped } from "../../storage/unmapped-user.ts";
import { shellCommand } from "../../shell-quote.ts";
import { tryKernelLock } from "./kernel-lock.ts";
import { LOCK_RECORD_BYTES } from "../lock-record.ts";

const FILE_MODE = 0o600;

/** Each lost race means that another process removed a file in the same microseconds; that cannot go on for long. */
const MAX_RACES = 100;

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;

/** An open lock file. Its holder knows whether it is locked. */
export class LockedFile {
  readonly path: string;
  readonly fd: number;
  /** `leftover`: it existed before us. */
  readonly origin: "created" | "leftover";
  readonly inode: bigint;
  readonly #device: bigint;
  #open = true;

  private constructor(path: string, fd: number, origin: "created" | "leftover", stats: fs.BigIntStats) {
    this.path = path;
    this.fd = fd;
    this.origin = origin;
    this.inode = stats.ino;
    this.#device = stats.dev;
  }

  /**
   * Opens the file for reading and writing; with `create`, makes it with mode 0600 under any umask. Returns `absent` when
   * there is none, or none any more.
   *
   * @throws {LockkeeperError} UNSAFE_PATH when `path` is a link, a file with a second name, a directory, FIFO or device,
   * another user's file or one that others may write; it is left untouched.
   */
  static open(path: string, options: { readonly create: boolean }): LockedFile | "absent" {
    const created = options.create ? createOwn(path) : undefined;
    const fd = created ?? openOwn(path);
    if (fd === undefined) return "absent";
    try {
      const stats = fs.fstatSync(fd, { bigint: true });
      if (stats.nlink > 0n) {
        refuseUnsafe(stats, path);
        // We created it under another umask, just now or before a crash: only such a file is empty.
        if (stats.size === 0n && (stats.mode & 0o777n) !== BigInt(FILE_MODE)) fs.fchmodSync(fd, FILE_MODE);
        return new LockedFile(path, fd, created === undefined ? "leftover" : "created", stats);
      }
    } catch (error) {
      fs.closeSync(fd);
      throw fileError(error, "open the lock file", path);
    }
    fs.closeSync(fd);
    return "absent";
  }

  /** Whether the path names this file now. `unknown`: the system does not say. */
  isInPlace(): "yes" | "no" | "unknown" {
    try {
      return this.#isNamed() ? "yes" : "no";
    } catch {
      return "unknown";
    }
  }

  /** A keeper asks each second, for months: plain numbers take a third of the memory, and are exact unless they are huge. */
  #isNamed(): boolean {
    const seen = fs.lstatSync(this.path, { throwIfNoEntry: false });
    if (seen === undefined) return false;
    if (Number.isSafeInteger(seen.ino) && Number.isSafeInteger(seen.dev)) {
      return seen.ino === Number(this.inode) && seen.dev === Number(this.#device);
    }
    const exact = lstat(this.path);
    return exact !== undefined && exact.ino === this.inode && exact.dev === this.#device;
  }

  /** Returns the bytes of the record; fewer, or none, when the file was never written. */
  read(): Uint8Array {
    const bytes = Buffer.allocUnsafe(LOCK_RECORD_BYTES);
    try {
      return bytes.subarray(0, fs.readSync(this.fd, bytes, 0, LOCK_RECORD_BYTES, 0));
    } catch (error) {
      throw fileError(error, "read the lock record", this.path);
    }
  }

  /** Writes `bytes` over the record by one write, so that no reader sees half of it. */
  write(bytes: Uint8Array): void {
    try {
      fs.writeSync(this.fd, bytes, 0, bytes.byteLength, 0);
    } catch (error) {
      throw fileError(error, "write the lock record", this.path);
    }
  }

  /** Removes the path if it names this file. Must be called with the lock held, before it is released. */
  remove(): void {
    if (!this.#open || this.isInPlace() !== "yes") return;
    try {
      fs.unlinkSync(this.path);
    } catch (error) {
      // A leftover file blocks nobody: the next owner takes it over.
      if (errnoOf(error) !== "ENOENT") return;
    }
  }

  /** Closes the descriptor, which releases the lock unless another process has the descriptor too. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.fd);
  }
}

/**
 * Opens the file and takes its kernel lock, without waiting. When it returns a file, the lock is held, and the path named that
 * file after the lock was taken.
 *
 * @throws {KernelLockUnavailable} when there is no kernel lock.
 * @throws {LockkeeperError} as {@link LockedFile.open}.
 */
export function tryLockFile(path: string, options: { readonly create: boolean }): LockedFile | "refused" | "absent" {
  for (let race = 0; race < MAX_RACES; race++) {
    const file = LockedFile.open(path, options);
    if (file === "absent") {
      if (options.create) continue;
      return "absent";
    }
    try {
      if (tryKernelLock(file.fd) === "granted") {
        if (file.isInPlace() === "yes") return file;
        file.close();
        continue;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return "refused";
  }
  return "refused";
}

const FLAGS = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/** Creates the file, or returns undefined when the path exists already. */
function createOwn(path: string): number | undefined {
  try {
    return fs.openSync(path, FLAGS | O_CREAT | O_EXCL, FILE_MODE);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return undefined;
    throw fileError(error, "create the lock file", path);
  }
}

/** Opens an existing file, or returns undefined when there is none. */
function openOwn(path: string): number | undefined {
  try {
    return fs.openSync(path, FLAGS);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    const stats = lstat(path);
    refuseUnsafe(stats, path);
    // A crash under a tight umask left our file with a mode that even we may not open: set the mode and go on.
    if (errnoOf(error) !== "EACCES" || stats?.size !== 0n) throw fileError(error, "open the lock file", path);
    fs.chmodSync(path, FILE_MODE);
    return fs.openSync(path, FLAGS);
  }
}

function lstat(path: string): fs.BigIntStats | undefined {
  return fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function isForeign(stats: fs.BigIntStats): boolean {
  const self = process.geteuid?.();
  return self !== undefined && stats.uid !== BigInt(self);
}

/**
 * Returns when an owner could lock what is at `path`, or when nothing is there. Opens and changes nothing.
 *
 * @throws {LockkeeperError} UNSAFE_PATH as {@link LockedFile.open}; file errors with path and errno.
 */
export function refuseUnsafeLockFile(path: string): void {
  try {
    refuseUnsafe(lstat(path), path);
  } catch (error) {
    throw fileError(error, "look at the lock file", path);
  }
}

/** Stricter than for other files: what root made, or a private group may write, is no lock of ours either. */
function refuseUnsafe(stats: fs.BigIntStats | undefined, path: string): void {
  if (stats === undefined) return;
  // Its name does not end as a lock file's, so from then on it counts for nothing.
  const moveAway = `move it away: ${shellCommand("mv", path, `${path}.aside`)}`;
  const kind = notPlain(stats);
  if (kind !== undefined) throw unsafePath(path, kind, `Look at what put it there, then ${moveAway}`);
  if (isForeign(stats)) {
    const hint = isUnmapped(stats.uid) ? OUTSIDE : `When no process of that user needs it, ${moveAway}`;
    throw unsafePath(path, belongsToAnother(stats), hint);
  }
  const [mode, uid, gid] = [Number(stats.mode), Number(stats.uid), Number(stats.gid)];
  if ((bitsOfOthers({ mode, uid, gid, ctimeMs: Number(stats.ctimeMs) }, path) & 0o022) === 0) return;
  throw unsafePath(path, writtenByOthers(stats), `Close it: ${shellCommand("chmod", "go-w", path)}`);
}
