/**
 * Reads a gateway's log: its last lines, and its lines since a time, across rotation and restarts. A log that is rotated during the
 * read is read again. Only reads; needs no lock.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

import { isPath, optionCheck, refuseUnknownOptions } from "../wrong-options.ts";
import { CHUNK_BYTES, cutLine, findFiles, isSameLog, LINE_FEED, readRange, withoutHoles } from "./log-files.ts";
import type { LogFile, LogPosition } from "./log-files.ts";
import type { LogIndex } from "./log-index.ts";
import { offsetAt, readLogIndex, timeAt } from "./log-index.ts";

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
  /** Where the excerpt ends, for `followLog`. */
  readonly end: LogPosition;
}

const DEFAULTS = {
  /** How often a read is repeated when a rotation disturbed it. */
  attempts: 3,
  /** How many more lines than wanted may be held before the oldest are dropped. */
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
  optionCheck("readLog")("path", path, "a path", isPath);
  refuseUnknownOptions("readLog", selection, { lines: "count", sinceMs: "number", matches: "function" });
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
    found.push({ text: cutLine(text), atMs: clock?.timeOf(text, file, offset) ?? null });
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
      const from = Math.max(0, to - CHUNK_BYTES);
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
      const to = Math.min(file.sizeBytes, from + CHUNK_BYTES);
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
  if (pieces.length * CHUNK_BYTES <= DEFAULTS.heldBytes) return pieces;
  return [Buffer.from(withoutHoles(Buffer.concat(pieces)).subarray(0, DEFAULTS.heldBytes / 2))];
}

function textOf(pieces: readonly Buffer[]): string {
  const [only, ...others] = pieces;
  return withoutHoles(only !== undefined && others.length === 0 ? only : Buffer.concat(pieces)).toString("utf8");
}

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

function positionAt(files: readonly LogFile[], sinceMs: number): LogPosition {
  const positions = files.flatMap((file) => {
    const index = readLogIndex(file.path);
    const known = index?.marks[0] !== undefined && index.marks[0].atMs <= sinceMs;
    return known ? [file.base + offsetAt(index, sinceMs)] : [];
  });
  return Math.max(-Infinity, ...positions);
}
