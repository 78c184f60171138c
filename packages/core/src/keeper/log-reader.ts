/**
 * Reads a gateway's log: its last lines, its lines since a time, and new lines, across rotation and restarts. A position in
 * the log is the count of bytes ever written (the index beside each file says where it begins), so a reader neither repeats
 * nor skips lines when the file is rotated. Only reads; needs no lock.
 */
import * as fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

import { fileError } from "../errors.ts";
import { openFile } from "../storage/private-file.ts";
import { pause } from "../pause.ts";
import type { LogIndex } from "./log-index.ts";
import { KEPT_FILES, offsetAt, readLogBase, readLogIndex, rotatedPath, timeAt } from "./log-index.ts";

/** A position in everything that was ever written to a log. */
export type LogPosition = number;

/** One line of a log, without its line feed. */
export interface LogLine {
  readonly text: string;
  /**
   * When it was written, in epoch milliseconds: the time at the front of the line if it is plausible, else the time of the
   * keeper's check that saw it (about two seconds late at most, for older lines a hundredth of their age). Null when unknown.
   */
  readonly atMs: number | null;
}

/** Which lines to read; all of them unless told otherwise. */
export interface LogSelection {
  /** At most this many lines, the last ones. @default no limit */
  readonly lines?: number | undefined;
  /** Only output since that time, in epoch milliseconds; the index knows it to about two seconds. */
  readonly sinceMs?: number | undefined;
  /** Only lines for which this holds; `lines` counts them alone. @default every line */
  readonly matches?: ((text: string) => boolean) | undefined;
}

/** What was read. */
export interface LogExcerpt {
  readonly lines: readonly LogLine[];
  /** Where the excerpt ends, for {@link followLog}. */
  readonly end: LogPosition;
}

/** Where {@link followLog} begins, and its end. */
export interface FollowOptions {
  readonly from: LogPosition;
  readonly signal: AbortSignal;
  /** When `signal` aborts, what is there already comes first. @default false */
  readonly drain?: boolean;
}

const DEFAULTS = {
  chunkBytes: 64 * 1024,
  /** A longer line is cut: one event must not fill a terminal. */
  maxLineLength: 8 * 1024,
  followLookMs: 100,
  /** A rotation takes milliseconds; a reader does not wait longer for an index. */
  rotationLooks: 10,
  /** How often a read is repeated when a rotation disturbed it. */
  attempts: 3,
  /** With more bytes than this, older lines are dropped. */
  spareLines: 1_000,
  /**
   * How far back the last lines are looked for, twice what a keeper lets a log grow to: a gateway can make its own log longer than
   * any disk, without a line feed in it.
   */
  lookedBytes: 128 * 1024 * 1024,
  /** How much of one line is held in memory. */
  heldBytes: 1024 * 1024,
  /** How much a line's own time may differ from the index. */
  ownTimeSlackMs: 5_000,
};

/** One file of the log: its bytes are `base` to `base + sizeBytes` of everything ever written. */
interface LogFile {
  readonly path: string;
  readonly base: LogPosition;
  readonly sizeBytes: number;
  readonly changedMs: number;
}

/** Returns the last `count` lines of the log at `path`; none when there is no log. */
export async function readLastLines(path: string, count: number): Promise<readonly string[]> {
  return (await readUndisturbed(path, (files) => readFiles(files, { lines: count }, undefined))).lines.map(
    ({ text }) => text,
  );
}

/**
 * Returns the selected lines, oldest first; none when there is no log. A last line without its line feed is included.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function readLog(path: string, selection: LogSelection = {}): Promise<LogExcerpt> {
  return readUndisturbed(path, (files) => readFiles(files, selection, new LogClock()));
}

async function readUndisturbed<T>(path: string, read: (files: readonly LogFile[]) => T): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const files = findFiles(path);
    const excerpt = read(files);
    // The log was rotated during the read: parts may have been read twice or not at all.
    if (attempt === DEFAULTS.attempts || isSameLog(files, findFiles(path))) return excerpt;
    await nextTurn();
  }
}

/** Without a clock no line has a time. */
function readFiles(
  files: readonly LogFile[],
  { lines, sinceMs, matches }: LogSelection,
  clock: LogClock | undefined,
): LogExcerpt {
  const newest = files.at(-1);
  if (newest === undefined) return { lines: [], end: 0 };
  const wanted = lines ?? Infinity;
  const since = sinceMs === undefined ? -Infinity : positionAt(files, sinceMs);
  // With a condition every line must be read; without one the last lines of a long log are cheap.
  const start = matches === undefined ? Math.max(since, positionOfLast(files, wanted)) : since;
  const found: LogLine[] = [];
  for (const { text, file, offset } of linesFrom(files, start)) {
    if (matches !== undefined && !matches(text)) continue;
    found.push({ text: cut(text), atMs: clock?.timeOf(text, file, offset) ?? null });
    if (found.length > 2 * wanted + DEFAULTS.spareLines) found.splice(0, found.length - wanted);
  }
  const last = wanted === 0 ? [] : wanted === Infinity ? found : found.slice(-wanted);
  return { lines: last, end: newest.base + newest.sizeBytes };
}

/** Returns where the last `count` lines begin. Backwards, chunk by chunk. */
function positionOfLast(files: readonly LogFile[], count: number): LogPosition {
  if (count === Infinity) return -Infinity;
  // The line feed at the very end begins no further line.
  let position = (files.at(-1)?.base ?? 0) + (files.at(-1)?.sizeBytes ?? 0) - 1;
  let missing = count;
  const end = position - DEFAULTS.lookedBytes;
  for (const file of files.toReversed()) {
    for (let to = Math.min(file.sizeBytes, position - file.base); to > 0;) {
      if (file.base + to <= end) return file.base + to;
      const from = Math.max(0, to - DEFAULTS.chunkBytes);
      const chunk = readRange(file.path, from, to);
      for (let feed = chunk.lastIndexOf(LINE_FEED); feed !== -1;) {
        missing -= 1;
        if (missing <= 0) return file.base + from + feed + 1;
        feed = feed === 0 ? -1 : chunk.lastIndexOf(LINE_FEED, feed - 1);
      }
      to = from;
    }
    position = file.base;
  }
  return -Infinity;
}

interface PlacedLine {
  readonly text: string;
  readonly file: LogFile;
  /** Where in `file` it ends. */
  readonly offset: number;
}

/** Every line from `start` on, each with the place where it ends. A line may go on in the next file. */
function* linesFrom(files: readonly LogFile[], start: LogPosition): Generator<PlacedLine> {
  let rest: readonly Buffer[] = [];
  let last: LogFile | undefined;
  for (const file of files) {
    for (let from = Math.max(0, start - file.base); from < file.sizeBytes;) {
      const to = Math.min(file.sizeBytes, from + DEFAULTS.chunkBytes);
      const chunk = readRange(file.path, from, to);
      if (chunk.length === 0) break;
      last = file;
      let begin = 0;
      for (let feed = chunk.indexOf(LINE_FEED); feed !== -1; feed = chunk.indexOf(LINE_FEED, begin)) {
        yield { text: textOf([...rest, chunk.subarray(begin, feed)]), file, offset: from + feed + 1 };
        rest = [];
        begin = feed + 1;
      }
      if (begin < chunk.length) rest = held([...rest, chunk.subarray(begin)]);
      from += chunk.length;
    }
  }
  if (rest.length > 0 && last !== undefined) yield { text: textOf(rest), file: last, offset: last.sizeBytes };
}

/** The beginning of a line is enough, since a long one is cut; what was never written is not even that. */
function held(pieces: readonly Buffer[]): readonly Buffer[] {
  if (pieces.length * DEFAULTS.chunkBytes <= DEFAULTS.heldBytes) return pieces;
  return [Buffer.from(withoutHoles(Buffer.concat(pieces)).subarray(0, DEFAULTS.heldBytes / 2))];
}

/**
 * Yields the output after `from` until `signal` aborts, in pieces that end with a line unless a line is very long. Continues
 * across rotation, restarts, and a log that does not exist yet; when a flood was faster than the reader, it continues with the
 * oldest output that is left.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function* followOutput(path: string, options: FollowOptions): AsyncGenerator<Buffer, void> {
  const { from, signal, drain = false } = options;
  let position = from;
  let looksPastEnd = 0;
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  for (;;) {
    if (signal.aborted && !drain) return;
    const file = findFileAt(path, position);
    if (file === undefined || position === file.base + file.sizeBytes) {
      if (signal.aborted) break;
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
    // The log was rotated during the read, so these bytes may be from another position. The right ones are in `.1` by now.
    const still = findFileAt(path, position);
    if (still?.base !== file.base || still.path !== file.path) continue;
    position = begin + chunk.length;
    const output = Buffer.concat([rest, withoutHoles(chunk)]);
    const whole = output.lastIndexOf(LINE_FEED) + 1;
    // A line that is longer than the limit is passed on in pieces.
    const end = whole === 0 && output.length > DEFAULTS.chunkBytes ? output.length : whole;
    rest = Buffer.from(output.subarray(end));
    if (end > 0) yield output.subarray(0, end);
    // Timers and signals get their turn, however fast the output comes.
    await nextTurn();
  }
  if (drain && rest.length > 0) yield rest;
}

/** {@link followOutput}, line by line: each line when it is complete, without its line feed, cut when it is very long. */
export async function* followLog(path: string, options: FollowOptions): AsyncGenerator<string, void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of followOutput(path, options)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, DEFAULTS.maxLineLength + 1);
    for (const line of lines) yield cut(line);
  }
  if (options.drain === true && rest !== "") yield cut(rest);
}

const LINE_FEED = 0x0a;

function cut(line: string): string {
  return line.length > DEFAULTS.maxLineLength ? `${line.slice(0, DEFAULTS.maxLineLength)}…` : line;
}

function textOf(pieces: readonly Buffer[]): string {
  const [only, ...others] = pieces;
  return withoutHoles(only !== undefined && others.length === 0 ? only : Buffer.concat(pieces)).toString("utf8");
}

/** Removes bytes that were never written: a long run of zeros is a hole in the file, left by a writer with its own position. */
function withoutHoles(piece: Buffer): Buffer {
  if (!piece.includes(HOLE)) return piece;
  const text = piece.toString("latin1").replaceAll(/\0{64,}/g, "");
  return Buffer.from(text, "latin1");
}

const HOLE = Buffer.alloc(64);

/** When lines were written: by the indexes of their files, each read once. */
class LogClock {
  readonly #indexes = new Map<string, LogIndex | undefined>();

  timeOf(text: string, file: LogFile, offset: number): number | null {
    const { path, sizeBytes, changedMs } = file;
    if (!this.#indexes.has(path)) this.#indexes.set(path, readLogIndex(path));
    const index = this.#indexes.get(path);
    // After the last mark: written since the keeper's last check, and no later than the file's own time.
    const lookedMs =
      (index === undefined ? undefined : timeAt(index, offset)) ?? (offset <= sizeBytes ? changedMs : null);
    const ownMs = ownTimeOf(text);
    const fits = ownMs !== undefined && lookedMs !== null && Math.abs(lookedMs - ownMs) <= DEFAULTS.ownTimeSlackMs;
    return fits ? ownMs : lookedMs;
  }
}

/** The time at the front of a line, if it has a time zone. */
function ownTimeOf(text: string): number | undefined {
  const found = /^(?:\S{0,16} )?\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))/.exec(text);
  const time = found?.[1] === undefined ? NaN : Date.parse(found[1]);
  return Number.isNaN(time) ? undefined : time;
}

/** The files of the log, oldest first. */
function findFiles(path: string): readonly LogFile[] {
  const files: LogFile[] = [];
  for (let number = 0; number <= KEPT_FILES; number += 1) {
    const file = findFile(rotatedPath(path, number), files[0]);
    // During a rotation the present file and its copy begin at the same position: one of them is enough.
    if (file !== undefined && file.base < (files[0]?.base ?? Infinity)) files.unshift(file);
  }
  return files;
}

function isSameLog(before: readonly LogFile[], now: readonly LogFile[]): boolean {
  return before.length === now.length && before.every((file, index) => file.base === now[index]?.base);
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
  return { path, base, sizeBytes: stats.size, changedMs: stats.mtimeMs };
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
    // The file was rotated between the check and the read: the next check finds it under its new name.
    if (fd === undefined) return Buffer.alloc(0);
    const buffer = Buffer.alloc(to - from);
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, from));
  } catch (error) {
    throw fileError(error, "read the log", path);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
