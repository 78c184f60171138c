/**
 * The writing side of a gateway's log. The gateway has the descriptor and writes by itself, so that it outlives its keeper.
 * The keeper only checks the file now and then: it rotates by copy and truncate, keeps a sparse index of time beside each
 * file, and notices when others cut the file. Open a log only while holding the profile's lock. Nothing here throws after
 * opening: a full disk costs history, never the gateway or the keeper. Output that comes faster than it can be kept is
 * dropped, and a line says how much.
 */
import * as fs from "node:fs";

import { addChore } from "../chores.ts";
import { errnoOf, fileError, isForeseen } from "../errors.ts";
import { createFile, openFile, openForAppend } from "../storage/private-file.ts";
import { LogCopy, nextLineStart } from "./log-copy.ts";
import type { LogIndex, LogMark } from "./log-index.ts";
import {
  KEPT_FILES,
  formatIndexHead,
  formatIndexMark,
  indexPath,
  readLogBase,
  readLogIndex,
  rotatedPath,
  thinMarks,
} from "./log-index.ts";
import type { LogNoteKind } from "./log-note.ts";
import { formatLogNote } from "./log-note.ts";

const DEFAULTS = {
  /** Days of usual output, and still opened by any editor. */
  rotateAtBytes: 10 * 1024 * 1024,
  /** How often the file is checked: soon after output, rarely while it is quiet, more often in a flood. */
  busyLookMs: 250,
  quietLookMs: 2_000,
  floodLookMs: 100,
  /** After a failed rotation the file may grow to twice the limit; then the limit matters more than the history. */
  retryRotationMs: 10_000,
  /** How much is copied at once at the end of a rotation, which must not be interrupted. */
  lastStepBytes: 512 * 1024,
  /** How many rounds a copy gets to catch up with a writing gateway. */
  copyRounds: 5,
  /** Marks of time stand this far apart, in time or in bytes: an index must not outgrow a quiet log. */
  markEveryMs: 2_000,
  markEveryBytes: 64 * 1024,
  /** Past this an index is thinned. */
  maxIndexBytes: 64 * 1024,
  /** How much of the file's beginning identifies its content: the first line of a file contains its time. */
  headBytes: 128,
  /** Losses are reported at most this often. */
  lossEveryMs: 60_000,
};

/** How the log is kept. */
export interface GatewayLogOptions {
  /** @default 10485760 (10 MiB) */
  readonly rotateAtBytes?: number;
  /** Called with one sentence when output was lost, at most once a minute for each cause. */
  readonly onLoss?: (text: string) => void;
}

/** One open log: passed to a gateway, checked from time to time, and closed. */
export class GatewayLog {
  readonly path: string;
  /** For the gateway's standard output and error. Appends. */
  readonly fd: number;
  readonly #rotateAtBytes: number;
  readonly #onLoss: (text: string) => void;
  /** Bytes ever written before the first byte of the present file: keeps readers in step across rotations. */
  #base = 0;
  #seen: Look = { sizeBytes: 0, diskBytes: 0, sparse: false, changedMs: 0, head: Buffer.alloc(0) };
  #marked: LogMark = { atMs: 0, sizeBytes: 0 };
  /** Growth that has no mark yet. */
  #due: LogMark | undefined;
  #indexBytes = 0;
  #rotateNotBefore = 0;
  readonly #lossTold = new Map<string, number>();
  /** Another file, or none, is in its place. */
  #isDisplaced = false;
  #looking: Promise<unknown> = Promise.resolve();
  #cancelLook: () => void = () => undefined;
  #closed = false;

  /**
   * Opens the log, creating it with mode 0600 under any umask.
   *
   * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is there.
   * @throws {LockkeeperError} DISK_FULL, DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED with path and errno.
   */
  constructor(path: string, options: GatewayLogOptions = {}) {
    this.path = path;
    this.#rotateAtBytes = options.rotateAtBytes ?? DEFAULTS.rotateAtBytes;
    this.#onLoss = options.onLoss ?? (() => undefined);
    this.fd = openLog(path);
    this.#resume(readLogIndex(path));
  }

  /** Checks the file from time to time until {@link close}. */
  watch(): void {
    let delayMs = DEFAULTS.busyLookMs;
    const look = async (): Promise<void> => {
      const before = this.#base + this.#seen.sizeBytes;
      const grew = (await this.check()) === "grew";
      const flood = this.#base + this.#seen.sizeBytes - before >= this.#rotateAtBytes / 2;
      if (grew) delayMs = flood ? DEFAULTS.floodLookMs : DEFAULTS.busyLookMs;
      else delayMs = Math.min(DEFAULTS.quietLookMs, delayMs * 2);
      this.#lookIn(delayMs, look);
    };
    this.#lookIn(delayMs, look);
  }

  /** Checks once: marks the time of new output, reports cuts, and rotates a file that has become too long. */
  check(): Promise<"grew" | "quiet"> {
    const look = this.#looking.then(() => this.#look());
    this.#looking = look;
    return look;
  }

  /** Adds one of the keeper's own lines. Does nothing when the disk refuses, or after {@link close}. */
  note(kind: LogNoteKind, text: string): void {
    if (this.#closed) return;
    ignoringDisk(() => {
      const { size } = fs.fstatSync(this.fd);
      const last = Buffer.from("\n");
      if (size > 0) fs.readSync(this.fd, last, 0, 1, size - 1);
      const line = formatLogNote({ at: new Date().toISOString(), kind, text });
      fs.writeSync(this.fd, last[0] === 0x0a ? line : `\n${line}`);
    });
  }

  /** Closes the file. The gateway's own descriptor is not affected. */
  async close(): Promise<void> {
    this.#cancelLook();
    await this.check();
    this.#closed = true;
    this.#cancelLook();
    this.#writeDueMark();
    fs.closeSync(this.fd);
  }

  #lookIn(delayMs: number, look: () => Promise<void>): void {
    if (this.#closed) return;
    if (delayMs < DEFAULTS.quietLookMs) {
      const timer = setTimeout(() => void look(), delayMs).unref();
      this.#cancelLook = () => clearTimeout(timer);
      return;
    }
    this.#cancelLook = addChore(delayMs, () => {
      this.#cancelLook();
      void look();
    });
  }

  async #look(): Promise<"grew" | "quiet"> {
    if (this.#closed) return "quiet";
    let news: "grew" | "quiet" = "quiet";
    try {
      const before = this.#seen;
      const { size, mtimeMs, dev, ino } = fs.fstatSync(this.fd);
      const there = fs.lstatSync(this.path, { throwIfNoEntry: false });
      this.#noteDisplaced(there?.ino !== ino || there.dev !== dev);
      if (size === before.sizeBytes && mtimeMs === before.changedMs) {
        if (Date.now() - this.#marked.atMs >= DEFAULTS.markEveryMs) this.#writeDueMark();
        return news;
      }
      news = "grew";
      const now = lookAt(this.fd);
      if (wasCut(before, now)) return this.#tellCut(before);
      this.#seen = now;
      this.#mark({ atMs: Math.floor(now.changedMs), sizeBytes: now.sizeBytes });
      const heldBytes = now.sparse ? now.diskBytes : now.sizeBytes;
      // After a failure it is tried again later, but the limit on the disk applies at once.
      const notBefore = heldBytes >= 2 * this.#rotateAtBytes ? 0 : this.#rotateNotBefore;
      if (heldBytes >= this.#rotateAtBytes && performance.now() >= notBefore) await this.#rotate(now);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
    return news;
  }

  /** Continues the index of an earlier keeper, or begins a new one when it does not fit the file. */
  #resume(index: LogIndex | undefined): void {
    const now = lookAt(this.fd);
    const endBytes = index?.marks.at(-1)?.sizeBytes ?? 0;
    if (index !== undefined && endBytes <= now.sizeBytes) {
      this.#base = index.base;
      this.#indexBytes = fs.lstatSync(indexPath(this.path), { throwIfNoEntry: false })?.size ?? 0;
      this.#seen = now;
      this.#mark({ atMs: Math.floor(now.changedMs), sizeBytes: now.sizeBytes });
      this.#writeDueMark();
      return;
    }
    this.#base = index === undefined ? 0 : index.base + endBytes;
    this.#startIndex(now);
    // A keeper that was killed in a rotation, between the truncation and the new index, has left the whole old file as `.1`.
    const rotated = index === undefined || readLogBase(rotatedPath(this.path, 1)) === index.base;
    if (!rotated) this.#tellLoss("cut", `${endBytes} bytes of output were cut while no keeper looked`);
  }

  /** A gateway goes on writing into a file that was removed or moved, where no reader looks. A new file in its place says so, once. */
  #noteDisplaced(isDisplaced: boolean): void {
    if (isDisplaced && !this.#isDisplaced) {
      const text = "the log file was removed or moved away; what is printed goes there until the profile is restarted";
      ignoringDisk(() => {
        const fd = openForAppend(this.path);
        try {
          fs.writeSync(fd, formatLogNote({ at: new Date().toISOString(), kind: "lost", text }));
        } finally {
          fs.closeSync(fd);
        }
      });
      this.#onLoss(text);
    }
    this.#isDisplaced = isDisplaced;
  }

  /** The file was truncated, or its beginning was overwritten: the old content is lost, and the present one is new. */
  #tellCut(before: Look): "grew" {
    this.#base += before.sizeBytes;
    this.#tellLoss(
      "cut",
      `${before.sizeBytes} bytes of output were cut by the gateway: something in it opened its output anew, as \`> /dev/stderr\` does; \`>> /dev/stderr\` or \`>&2\` cuts nothing`,
    );
    this.#startIndex(lookAt(this.fd));
    return "grew";
  }

  #tellLoss(cause: string, text: string): void {
    this.note("lost", text);
    const toldAt = this.#lossTold.get(cause);
    const now = performance.now();
    if (toldAt !== undefined && now - toldAt < DEFAULTS.lossEveryMs) return;
    this.#lossTold.set(cause, now);
    this.#onLoss(text);
  }

  #mark(mark: LogMark): void {
    const { atMs, sizeBytes } = this.#marked;
    this.#due = mark;
    const apart = Math.abs(mark.atMs - atMs) >= DEFAULTS.markEveryMs;
    if (apart || mark.sizeBytes - sizeBytes >= DEFAULTS.markEveryBytes) this.#writeDueMark();
  }

  #writeDueMark(): void {
    const mark = this.#due;
    if (mark === undefined) return;
    this.#due = undefined;
    this.#marked = mark;
    const text = formatIndexMark(mark);
    this.#indexBytes += text.length;
    writeQuietly("append", indexPath(this.path), text);
    if (this.#indexBytes < DEFAULTS.maxIndexBytes) return;
    const marks = thinMarks(readLogIndex(this.path)?.marks ?? [], Date.now());
    this.#writeIndex(marks);
  }

  #startIndex(now: Look): void {
    this.#seen = now;
    this.#due = undefined;
    this.#marked = { atMs: Math.floor(now.changedMs), sizeBytes: now.sizeBytes };
    this.#writeIndex(now.sizeBytes === 0 ? [] : [this.#marked]);
  }

  #writeIndex(marks: readonly LogMark[]): void {
    const text = formatIndexHead(this.#base) + marks.map(formatIndexMark).join("");
    this.#indexBytes = text.length;
    writeQuietly("anew", indexPath(this.path), text);
  }

  /** Moves the content to `.1`. The file keeps its inode, and the gateway goes on writing into it. */
  async #rotate({ sizeBytes, sparse }: Look): Promise<void> {
    // Output of a flood beyond two files is dropped: the limit on the disk comes first.
    const bound = 2 * this.#rotateAtBytes;
    const from = sizeBytes > bound ? nextLineStart(this.fd, sizeBytes - bound) : 0;
    let moved: Moved;
    try {
      moved = await this.#move(from, sizeBytes, from + bound);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      // A directory may be in its place; then it stays, and the limit is kept without it.
      ignoringDisk(() => fs.unlinkSync(`${this.path}.rotating`));
      this.#rotateNotBefore = performance.now() + DEFAULTS.retryRotationMs;
      const { size } = fs.fstatSync(this.fd);
      if (size < bound) return;
      fs.ftruncateSync(this.fd, 0);
      this.#base += size;
      this.#tellLoss("disk", `${size} bytes of output were dropped: they could not be copied to a rotated file`);
      return this.#startIndex(lookAt(this.fd));
    }
    const { endBytes, tail, missedBytes } = moved;
    this.#base += endBytes + missedBytes;
    // The first half of a line is moved here, where its second half will be written.
    if (tail.length > 0) fs.writeSync(this.fd, tail);
    else this.note("rotated", `older output is in ${rotatedName(this.path)}`);
    const droppedBytes = (sparse ? 0 : from) + missedBytes;
    if (droppedBytes > 0) {
      this.#tellLoss("flood", `${droppedBytes} bytes of output were dropped: they came faster than they could be kept`);
    }
    this.#startIndex(lookAt(this.fd));
  }

  /** Copies the content from `from` to `bound` at most, makes the copy the newest rotated file, and empties the log. */
  async #move(from: number, sizeBytes: number, bound: number): Promise<Moved> {
    const copyPath = `${this.path}.rotating`;
    const copy = new LogCopy(this.fd, copyPath, from);
    try {
      for (let to = sizeBytes, round = 0; round < DEFAULTS.copyRounds; round += 1) {
        await copy.advance(Math.min(to, bound));
        to = fs.fstatSync(this.fd).size;
        if (to - copy.position <= DEFAULTS.lastStepBytes) break;
      }
      // From here on nothing interrupts, and little is left to copy.
      this.#keep(copyPath, copy, from);
      let missedBytes = 0;
      for (let round = 0; round < DEFAULTS.copyRounds; round += 1) {
        missedBytes = Math.max(0, fs.fstatSync(this.fd).size - copy.position);
        if (missedBytes === 0 || missedBytes > 2 * DEFAULTS.lastStepBytes) break;
        copy.finish(copy.position + missedBytes);
        missedBytes = 0;
      }
      // The gateway itself cut the file meanwhile: its present content is in no copy.
      if (fs.fstatSync(this.fd).size >= copy.position) fs.ftruncateSync(this.fd, 0);
      const tail = copy.cutTail();
      if (missedBytes === 0) return { endBytes: copy.position, tail, missedBytes };
      // Its second half is lost, and a first half would run into the line that tells so.
      return { endBytes: copy.position, tail: Buffer.alloc(0), missedBytes: missedBytes + tail.length };
    } finally {
      copy.close();
    }
  }

  /** Makes the copy the newest rotated file, after its index. */
  #keep(copyPath: string, copy: LogCopy, from: number): void {
    for (let number = KEPT_FILES; number > 1; number -= 1) this.#shift(number - 1, number);
    this.#writeDueMark();
    // When the copy has less than the file, its marks would be wrong.
    const whole = from === 0 && copy.writtenBytes === copy.position;
    const marks = whole ? (readLogIndex(this.path)?.marks ?? []) : [];
    const head = formatIndexHead(this.#base + copy.position - copy.writtenBytes);
    writeQuietly("anew", rotatedIndexPath(this.path, 1), head + marks.map(formatIndexMark).join(""));
    fs.renameSync(copyPath, rotatedPath(this.path, 1));
  }

  #shift(from: number, to: number): void {
    for (const name of [rotatedPath, rotatedIndexPath]) {
      const path = name(this.path, from);
      if (fs.existsSync(path)) fs.renameSync(path, name(this.path, to));
      else fs.rmSync(name(this.path, to), { force: true });
    }
  }
}

/** The result of a rotation. */
interface Moved {
  /** Everything before this position of the old file is in the copy, or was left out on purpose. */
  readonly endBytes: number;
  /** The unfinished line after it. */
  readonly tail: Buffer;
  /** Output that came too fast to be copied. */
  readonly missedBytes: number;
}

/** The state of the file at one moment. */
interface Look {
  readonly sizeBytes: number;
  readonly diskBytes: number;
  /** Begins with a hole: a writer without append mode went on at its old position after a truncation. */
  readonly sparse: boolean;
  /** The time of its content, in epoch milliseconds. */
  readonly changedMs: number;
  readonly head: Buffer;
}

const PAGE_BYTES = 4096;

function lookAt(fd: number): Look {
  const { size, mtimeMs, blocks } = fs.fstatSync(fd);
  const head = Buffer.alloc(Math.min(size, DEFAULTS.headBytes));
  fs.readSync(fd, head, 0, head.length, 0);
  const diskBytes = blocks * 512;
  // It uses less space than its size: it is compressed, or has a hole, and then its second page is one.
  const sparse = diskBytes < size && size > 2 * PAGE_BYTES && isEmptyPage(fd, PAGE_BYTES);
  return { sizeBytes: size, diskBytes, sparse, changedMs: mtimeMs, head };
}

function isEmptyPage(fd: number, position: number): boolean {
  const page = Buffer.alloc(PAGE_BYTES, 1);
  fs.readSync(fd, page, 0, page.length, position);
  return page.equals(Buffer.alloc(PAGE_BYTES));
}

/** An append-only file keeps its beginning. */
function wasCut(before: Look, now: Look): boolean {
  return now.sizeBytes < before.sizeBytes || !now.head.subarray(0, before.head.length).equals(before.head);
}

function rotatedName(path: string): string {
  return rotatedPath(path.slice(path.lastIndexOf("/") + 1), 1);
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

/** The index is a convenience: when it cannot be written, `--since` shows more than requested. */
function writeQuietly(how: "append" | "anew", path: string, text: string): void {
  ignoringDisk(() => {
    if (how === "anew") fs.rmSync(path, { force: true });
    const fd = how === "anew" ? createFile(path) : openFile(path, "append");
    if (fd === undefined) return;
    try {
      fs.writeSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
  });
}

function ignoringDisk(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isForeseen(error)) throw error;
  }
}
