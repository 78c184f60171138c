/**
 * The writing side of a gateway's log. The gateway holds the descriptor and writes by itself, so that it outlives its
 * keeper; the keeper only looks at the size now and then: it rotates by copy and truncate, and keeps a sparse index of
 * time beside each file. Only who holds the profile's lock may open one. Nothing here throws after opening: a full disk
 * costs history, never the gateway or the keeper. A line written between copy and truncate (microseconds) can be lost.
 */
import * as fs from "node:fs";

import { LockkeeperError, errnoOf, fileError } from "../errors.ts";
import { createFile, openFile, openForAppend } from "../storage/private-file.ts";
import type { LogIndex } from "./log-index.ts";
import { KEPT_FILES, formatIndexHead, formatIndexMark, indexPath, readLogIndex, rotatedPath } from "./log-index.ts";

const DEFAULTS = {
  /** Days of usual output, and still opened by any editor. */
  rotateAtBytes: 10 * 1024 * 1024,
  /** How often the size is looked at: soon after output came, seldom while it is quiet. */
  busyLookMs: 250,
  quietLookMs: 2_000,
  /** After a failed rotation the file may grow to twice the limit; then the bound wins over the history. */
  retryRotationMs: 10_000,
};

/** How the log is kept. */
export interface GatewayLogOptions {
  /** @default 10485760 (10 MiB) */
  readonly rotateAtBytes?: number;
}

/** One open log: to be given to a gateway, looked at from time to time, and closed. */
export class GatewayLog {
  readonly path: string;
  /** For the gateway's standard output and error. Appends. */
  readonly fd: number;
  readonly #rotateAtBytes: number;
  /** Bytes ever written before the first byte of the present file: keeps readers in step across rotations. */
  #base = 0;
  #seenBytes = 0;
  #rotateNotBefore = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Opens the log, creating it with mode 0600 under any umask.
   *
   * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is there.
   * @throws {LockkeeperError} DISK_FULL, DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED with path and errno.
   */
  constructor(path: string, options: GatewayLogOptions = {}) {
    this.path = path;
    this.#rotateAtBytes = options.rotateAtBytes ?? DEFAULTS.rotateAtBytes;
    this.fd = openLog(path);
    this.#resume(readLogIndex(path));
  }

  /** Looks at the size from time to time until {@link close}. */
  watch(): void {
    let delayMs = DEFAULTS.busyLookMs;
    const look = (): void => {
      delayMs = this.check() === "grew" ? DEFAULTS.busyLookMs : Math.min(DEFAULTS.quietLookMs, delayMs * 2);
      this.#timer = setTimeout(look, delayMs).unref();
    };
    this.#timer = setTimeout(look, delayMs).unref();
  }

  /** Looks once: marks the time of new output, and rotates a file that has become too long. */
  check(): "grew" | "quiet" {
    try {
      const sizeBytes = fs.fstatSync(this.fd).size;
      if (sizeBytes === this.#seenBytes) return "quiet";
      this.#mark(sizeBytes);
      if (sizeBytes >= this.#rotateAtBytes && performance.now() >= this.#rotateNotBefore) this.#rotate(sizeBytes);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
    return "grew";
  }

  /** Lets the file go. The gateway's own descriptor is not affected. */
  close(): void {
    clearTimeout(this.#timer);
    this.check();
    fs.closeSync(this.fd);
  }

  /** Takes up the index that an earlier keeper left, or begins a new one where it does not fit the file. */
  #resume(index: LogIndex | undefined): void {
    const sizeBytes = fs.fstatSync(this.fd).size;
    const endBytes = index?.marks.at(-1)?.sizeBytes ?? 0;
    if (index !== undefined && endBytes <= sizeBytes) {
      this.#base = index.base;
      this.#mark(sizeBytes);
      return;
    }
    // A keeper was killed between the truncation and the new index, or there never was one.
    this.#base = index === undefined ? 0 : index.base + endBytes;
    this.#startIndex(sizeBytes);
  }

  #mark(sizeBytes: number): void {
    this.#seenBytes = sizeBytes;
    writeQuietly("append", indexPath(this.path), formatIndexMark({ atMs: Date.now(), sizeBytes }));
  }

  #startIndex(sizeBytes: number): void {
    this.#seenBytes = sizeBytes;
    const text = formatIndexHead(this.#base) + formatIndexMark({ atMs: Date.now(), sizeBytes });
    writeQuietly("anew", indexPath(this.path), text);
  }

  #rotate(sizeBytes: number): void {
    // What a flood wrote beyond two files is not kept: the bound on the disk is.
    const droppedBytes = Math.max(0, sizeBytes - 2 * this.#rotateAtBytes);
    const copy = `${this.path}.rotating`;
    let writtenBytes = sizeBytes;
    try {
      writtenBytes = copyRest(this.fd, copy, droppedBytes);
      for (let number = KEPT_FILES; number > 1; number -= 1) this.#shift(number - 1, number);
      fs.renameSync(copy, rotatedPath(this.path, 1));
      fs.ftruncateSync(this.fd, 0);
      this.#keepIndex(droppedBytes);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      fs.rmSync(copy, { force: true });
      this.#rotateNotBefore = performance.now() + DEFAULTS.retryRotationMs;
      if (sizeBytes < 2 * this.#rotateAtBytes) return;
      fs.ftruncateSync(this.fd, 0);
    }
    this.#base += writtenBytes;
    this.#startIndex(0);
  }

  #shift(from: number, to: number): void {
    for (const name of [rotatedPath, rotatedIndexPath]) {
      const path = name(this.path, from);
      if (fs.existsSync(path)) fs.renameSync(path, name(this.path, to));
      else fs.rmSync(name(this.path, to), { force: true });
    }
  }

  /** Gives the rotated file its index: the old one, or a fresh head where the file begins later than that says. */
  #keepIndex(droppedBytes: number): void {
    const kept = rotatedIndexPath(this.path, 1);
    if (droppedBytes === 0) fs.renameSync(indexPath(this.path), kept);
    else writeQuietly("anew", kept, formatIndexHead(this.#base + droppedBytes));
  }
}

function rotatedIndexPath(path: string, number: number): string {
  return indexPath(rotatedPath(path, number));
}

function openLog(path: string): number {
  try {
    return openForAppend(path);
  } catch (error) {
    throw fileError(error, "open the log", path);
  }
}

/** Copies from `offset` to the end, what arrives meanwhile included; returns the length of the original. */
function copyRest(source: number, to: string, offset: number): number {
  fs.rmSync(to, { force: true });
  const target = createFile(to);
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (let position = offset; ;) {
      const readBytes = fs.readSync(source, buffer, 0, buffer.length, position);
      if (readBytes === 0) return position;
      fs.writeFileSync(target, buffer.subarray(0, readBytes));
      position += readBytes;
    }
  } finally {
    fs.closeSync(target);
  }
}

/** The index is a convenience: where it cannot be written, `--since` shows more than it was asked for. */
function writeQuietly(how: "append" | "anew", path: string, text: string): void {
  try {
    if (how === "anew") fs.rmSync(path, { force: true });
    const fd = how === "anew" ? createFile(path) : openFile(path, "append");
    if (fd === undefined) return;
    try {
      fs.writeSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (!(error instanceof LockkeeperError) && errnoOf(error) === undefined) throw error;
  }
}
