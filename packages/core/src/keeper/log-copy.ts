/**
 * Copies a log while a gateway goes on writing to it: in pieces, off the event loop, and never more than requested, so that
 * output as fast as the copy neither delays the keeper nor fills the disk. Only for the rotation.
 */
import * as fs from "node:fs";
import { promisify } from "node:util";

import { createFile } from "../storage/private-file.ts";

const read = promisify(fs.read);
const write = promisify(fs.write);

const DEFAULTS = {
  pieceBytes: 1024 * 1024,
  /** A longer unfinished line stays cut between two files. */
  longestTailBytes: 64 * 1024,
};

const LINE_FEED = 0x0a;

/** A copy in progress, from a place in a log to a new file of mode 0600. It must always be closed. */
export class LogCopy {
  readonly #source: number;
  readonly #target: number;
  #position: number;
  #writtenBytes = 0;
  /** How much was copied since the last line feed: the beginning of an unfinished line. */
  #tailBytes = 0;

  /** Begins the copy at `from`; a file at `to` is replaced. System errors are passed on. */
  constructor(source: number, to: string, from: number) {
    this.#source = source;
    this.#position = from;
    fs.rmSync(to, { force: true });
    this.#target = createFile(to);
  }

  /** The position of the copy in the source. */
  get position(): number {
    return this.#position;
  }

  /** The length of the copy; shorter than the position when the source had holes. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Copies up to `to` (a place in the source), or to its end when that comes first. Other work goes on meanwhile. */
  async advance(to: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(DEFAULTS.pieceBytes, Math.max(1, to - this.#position)));
    while (this.#position < to) {
      const length = Math.min(buffer.length, to - this.#position);
      const { bytesRead } = await read(this.#source, buffer, 0, length, this.#position);
      if (bytesRead === 0) return;
      const piece = this.#take(buffer.subarray(0, bytesRead));
      for (let done = 0; done < piece.length;) {
        done += (await write(this.#target, piece, done, piece.length - done)).bytesWritten;
      }
    }
  }

  /** {@link advance}, synchronously: for the last step, which must not be interrupted. */
  finish(to: number): void {
    if (this.#position >= to) return;
    const buffer = Buffer.allocUnsafe(to - this.#position);
    const readBytes = fs.readSync(this.#source, buffer, 0, buffer.length, this.#position);
    fs.writeFileSync(this.#target, this.#take(buffer.subarray(0, readBytes)));
  }

  /** Removes an unfinished last line from the copy and returns it; empty when there is none, or it is too long. */
  cutTail(): Buffer {
    const tail = Buffer.alloc(this.#tailBytes > DEFAULTS.longestTailBytes ? 0 : this.#tailBytes);
    if (tail.length === this.#writtenBytes) return Buffer.alloc(0);
    fs.readSync(this.#target, tail, 0, tail.length, this.#writtenBytes - tail.length);
    fs.ftruncateSync(this.#target, this.#writtenBytes - tail.length);
    this.#writtenBytes -= tail.length;
    this.#position -= tail.length;
    return tail;
  }

  close(): void {
    fs.closeSync(this.#target);
  }

  /** Counts `piece` as copied; returns the part to write: nothing for a hole. */
  #take(piece: Buffer): Buffer {
    this.#position += piece.length;
    if (isHole(piece)) return Buffer.alloc(0);
    this.#writtenBytes += piece.length;
    const lineEnd = piece.lastIndexOf(LINE_FEED);
    this.#tailBytes = lineEnd === -1 ? this.#tailBytes + piece.length : piece.length - lineEnd - 1;
    return piece;
  }
}

/** Returns where the first line begins at or after `position`; `position` itself in a hole, or when none does nearby. */
export function nextLineStart(fd: number, position: number): number {
  const piece = Buffer.alloc(DEFAULTS.longestTailBytes);
  // With the byte before: a line may begin right here.
  const readBytes = fs.readSync(fd, piece, 0, piece.length, position - 1);
  const lineEnd = piece[1] === 0 ? -1 : piece.subarray(0, readBytes).indexOf(LINE_FEED);
  return lineEnd === -1 ? position : position + lineEnd;
}

/** A writer that opened the file itself keeps its own position: after a truncation there is a hole before it. */
function isHole(piece: Buffer): boolean {
  return piece.length >= 4096 && piece[0] === 0 && piece.equals(Buffer.alloc(piece.length));
}
