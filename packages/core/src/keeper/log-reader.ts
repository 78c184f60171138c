/**
 * The reading side of a gateway's log: its last lines, its lines since a time, and what comes next, across rotation and
 * restarts. A place in the log is a count of bytes ever written (the index beside each file says where it begins), so a
 * reader neither repeats nor skips lines when the file is rotated under it. Reads only; needs no lock.
 */
import * as fs from "node:fs";

import { fileError } from "../errors.ts";
import { openFile } from "../storage/private-file.ts";
import { pause } from "../pause.ts";
import { KEPT_FILES, offsetAt, readLogBase, readLogIndex, rotatedPath } from "./log-index.ts";

/** A place between two bytes of everything that was ever written to a log. */
export type LogPosition = number;

/** Which lines to read; all of them unless told otherwise. */
export interface LogSelection {
  /** At most this many lines, the last ones. @default no limit */
  readonly lines?: number | undefined;
  /** Only what was written from then on, as far as the index tells (to about two seconds), in epoch milliseconds. */
  readonly sinceMs?: number | undefined;
}

/** What was read. */
export interface LogExcerpt {
  readonly lines: readonly string[];
  /** Where the excerpt ends, for {@link followLog}. */
  readonly end: LogPosition;
}

/** Where {@link followLog} begins, and what ends it. */
export interface FollowOptions {
  readonly from: LogPosition;
  readonly signal: AbortSignal;
}

const DEFAULTS = {
  chunkBytes: 64 * 1024,
  /** A longer line is cut: one event must not fill a terminal. */
  maxLineLength: 8 * 1024,
  followLookMs: 100,
  /** A rotation under way is over within milliseconds; an index that never comes is not waited for. */
  rotationLooks: 10,
};

/** One file of the log: its bytes are `base` to `base + sizeBytes` of everything ever written. */
interface LogFile {
  readonly path: string;
  readonly base: LogPosition;
  readonly sizeBytes: number;
}

/** Returns the last `count` lines of the log at `path`; none when there is no log. */
export async function readLastLines(path: string, count: number): Promise<readonly string[]> {
  return (await readLog(path, { lines: count })).lines;
}

/**
 * Returns the lines that `selection` asks for, oldest first; none when there is no log. A last line that is still
 * without its line feed is one of them.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function readLog(path: string, selection: LogSelection = {}): Promise<LogExcerpt> {
  const files = findFiles(path);
  const newest = files.at(-1);
  if (newest === undefined) return { lines: [], end: 0 };
  const end = newest.base + newest.sizeBytes;
  const start = selection.sinceMs === undefined ? -Infinity : positionAt(files, selection.sinceMs);
  const wanted = selection.lines ?? Infinity;
  const chunks: Buffer[] = [];
  let lineFeeds = 0;
  // Backwards, so that the last lines of a long log cost no more than those of a short one.
  for (const file of files.toReversed()) {
    const first = Math.max(0, start - file.base);
    for (let to = file.sizeBytes; to > first && lineFeeds <= wanted;) {
      const from = Math.max(first, to - DEFAULTS.chunkBytes);
      const chunk = readRange(file.path, from, to);
      for (const byte of chunk) if (byte === 0x0a) lineFeeds += 1;
      chunks.unshift(chunk);
      to = from;
    }
  }
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return { lines: (wanted === Infinity ? lines : lines.slice(-wanted || lines.length)).map(cut), end };
}

/**
 * Yields every line that is written after `from`, once it is whole, until `signal` aborts. Goes on across rotation,
 * restarts, and a log that does not exist yet.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function* followLog(path: string, { from, signal }: FollowOptions): AsyncGenerator<string, void> {
  let position = from;
  let looksPastEnd = 0;
  let rest = "";
  const decoder = new TextDecoder();
  while (!signal.aborted) {
    const file = findFileAt(path, position);
    if (file === undefined || position === file.base + file.sizeBytes) {
      await pause(DEFAULTS.followLookMs, signal);
      continue;
    }
    if (position > file.base + file.sizeBytes) {
      // Between truncation and new index, or the log was replaced by hand.
      looksPastEnd += 1;
      if (looksPastEnd > DEFAULTS.rotationLooks) position = file.base;
      await pause(DEFAULTS.followLookMs, signal);
      continue;
    }
    looksPastEnd = 0;
    const begin = Math.max(position, file.base);
    const to = Math.min(file.sizeBytes, begin - file.base + DEFAULTS.chunkBytes);
    const chunk = readRange(file.path, begin - file.base, to);
    // Rotated while it was read: these bytes may be those of another place.
    if (findFileAt(path, position)?.base !== file.base) continue;
    position = begin + chunk.length;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, DEFAULTS.maxLineLength + 1);
    for (const line of lines) yield cut(line);
  }
}

function cut(line: string): string {
  return line.length > DEFAULTS.maxLineLength ? `${line.slice(0, DEFAULTS.maxLineLength)}…` : line;
}

/** The files of the log, oldest first. */
function findFiles(path: string): readonly LogFile[] {
  const files: LogFile[] = [];
  for (let number = 0; number <= KEPT_FILES; number += 1) {
    const file = findFile(rotatedPath(path, number), files[0]);
    if (file !== undefined) files.unshift(file);
  }
  return files;
}

/** The file that holds the byte after `position`: the oldest one when that byte is gone, the present one past the end. */
function findFileAt(path: string, position: LogPosition): LogFile | undefined {
  const present = findFile(path, undefined);
  if (present === undefined || position >= present.base) return present;
  const files = findFiles(path);
  return files.find((file) => position < file.base + file.sizeBytes) ?? present;
}

/** A file without an index ends where the `younger` one begins. */
function findFile(path: string, younger: LogFile | undefined): LogFile | undefined {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) return undefined;
  const base = readLogBase(path) ?? (younger === undefined ? 0 : younger.base - stats.size);
  return { path, base, sizeBytes: stats.size };
}

function positionAt(files: readonly LogFile[], sinceMs: number): LogPosition {
  const positions = files.flatMap((file) => {
    const index = readLogIndex(file.path);
    const known = index?.marks[0] !== undefined && index.marks[0].atMs <= sinceMs;
    return known ? [file.base + offsetAt(index, sinceMs)] : [];
  });
  return Math.max(-Infinity, ...positions);
}

function readRange(path: string, from: number, to: number): Buffer {
  let fd: number | undefined;
  try {
    fd = openFile(path, "read", "any");
    // Rotated away between look and read: the next look finds it under its new name.
    if (fd === undefined) return Buffer.alloc(0);
    const buffer = Buffer.alloc(to - from);
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, from));
  } catch (error) {
    throw fileError(error, "read the log", path);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
