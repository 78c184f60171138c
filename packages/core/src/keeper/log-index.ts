/**
 * The sparse index of time beside a log file (`gateway.log.index`), and the names of rotated files. Text, one fact a
 * line, so that a torn last line costs one mark:
 *
 *     lockkeeper-log-index 1 <base>       bytes ever written before the first byte of this file
 *     <epoch ms> <size in bytes>          at that time the file was that long
 *
 * The keeper writes it; commands that show logs read it. A missing or damaged index costs precision, never lines.
 */
import { closeSync, readFileSync, readSync } from "node:fs";

import { isDigits } from "../digits.ts";
import { isForeseen } from "../errors.ts";
import { openFile } from "../storage/private-file.ts";

/** At `atMs` (epoch milliseconds) the file was `sizeBytes` long. */
export interface LogMark {
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** `base`: bytes ever written before the first byte of this file. */
export interface LogIndex {
  readonly base: number;
  readonly marks: readonly LogMark[];
}

const HEAD = "lockkeeper-log-index 1 ";
/** Above it a number loses its last digits. */
const MAX_DIGITS = 15;

/** Returns the path of the index of the log file at `path`. */
export function indexPath(path: string): string {
  return `${path}.index`;
}

/** How many rotated files are kept besides the present one: sixty MiB a profile, and twice that after a flood. */
export const KEPT_FILES = 5;

/** Returns the path of the `number`th rotated file of `path`, up to {@link KEPT_FILES}; 0 is the present one. */
export function rotatedPath(path: string, number: number): string {
  return number === 0 ? path : `${path}.${number}`;
}

/** Returns the first line of an index. */
export function formatIndexHead(base: number): string {
  return `${HEAD}${base}\n`;
}

/** Returns one further line. */
export function formatIndexMark({ atMs, sizeBytes }: LogMark): string {
  return `${atMs} ${sizeBytes}\n`;
}

/** Returns the index of the log file at `path`; undefined when there is no valid one. */
export function readLogIndex(path: string): LogIndex | undefined {
  return withIndex(path, (fd) => parseLogIndex(readFileSync(fd, "latin1")));
}

/** Returns where the log file at `path` begins; undefined without an index. Reads only the head. */
export function readLogBase(path: string): number | undefined {
  return withIndex(path, (fd) => {
    const head = Buffer.alloc(64);
    return parseLogIndex(head.toString("latin1", 0, readSync(fd, head)))?.base;
  });
}

function withIndex<T>(path: string, read: (fd: number) => T): T | undefined {
  let fd: number | undefined;
  try {
    fd = openFile(indexPath(path), "read", "any");
    return fd === undefined ? undefined : read(fd);
  } catch (error) {
    if (!isForeseen(error)) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Returns the index in `text`; undefined without a complete head. Lines that are not marks are skipped. */
export function parseLogIndex(text: string): LogIndex | undefined {
  const [head = "", ...lines] = text.split("\n");
  const base = head.startsWith(HEAD) ? toCount(head.slice(HEAD.length)) : undefined;
  if (base === undefined) return undefined;
  // Without its line feed the last line may be cut short in the middle of a number.
  lines.pop();
  const marks = lines.flatMap((line): LogMark[] => {
    const numbers = line.split(" ", 3);
    const [atMs, sizeBytes] = numbers.map(toCount);
    return numbers.length !== 2 || atMs === undefined || sizeBytes === undefined ? [] : [{ atMs, sizeBytes }];
  });
  return { base, marks };
}

function toCount(text: string): number | undefined {
  return text.length <= MAX_DIGITS && isDigits(text) ? Number(text) : undefined;
}

/** Two marks may be this fraction of their age apart, so the time of a line is known to less than a hundredth of its age. */
const AGE_PER_SPACING = 128;

/**
 * Returns `marks` without those that are closer together than their age requires, so that an index stays small however long
 * its file is written: a month of output needs some 1,300 marks. A removed mark costs precision, never lines.
 */
export function thinMarks(marks: readonly LogMark[], nowMs: number): readonly LogMark[] {
  const kept: LogMark[] = [];
  for (const mark of marks.toReversed()) {
    const later = kept.at(-1);
    const apartMs = later === undefined ? Infinity : Math.abs(later.atMs - mark.atMs);
    if (apartMs >= Math.abs(nowMs - mark.atMs) / AGE_PER_SPACING) kept.push(mark);
  }
  return kept.toReversed();
}

/** Returns when the byte before `offset` was written, in epoch milliseconds: never too early. Undefined past the last mark. */
export function timeAt({ marks }: LogIndex, offset: number): number | undefined {
  let low = 0;
  for (let high = marks.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.sizeBytes ?? Infinity) >= offset) high = middle;
    else low = middle + 1;
  }
  return marks[low]?.atMs;
}

/** Returns how much of the file was certainly written before `sinceMs`: later output begins there. */
export function offsetAt({ marks }: LogIndex, sinceMs: number): number {
  let offset = 0;
  for (const mark of marks) {
    // The clock may have been set back, so the first mark after the time ends the search.
    if (mark.atMs > sinceMs) break;
    offset = mark.sizeBytes;
  }
  return offset;
}
