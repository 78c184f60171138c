/**
 * The output of the latest gateway process: the lines between the keeper's own lines about its start and its end. For
 * explanations of a failure. Only reads.
 */
import { withoutColours } from "./colours.ts";
import type { LogNote } from "./log-note.ts";
import { parseLogNote } from "./log-note.ts";
import { readLog } from "./log-reader.ts";

/** The latest attempt to run the gateway. */
export interface AttemptOutput {
  /** Its own lines, without colours; a long middle is left out, and a line says so. */
  readonly lines: readonly string[];
  /** How many lines it printed, as far as they were read. */
  readonly printed: number;
  /** The keeper's line about its end; null while it runs, or when no keeper saw its end. */
  readonly end: LogNote | null;
}

const DEFAULTS = {
  /** Of a program that prints more than this, only the last part is shown. */
  looked: 5_000,
  shown: 20,
};

/** Which attempt, and how many lines. */
export interface AttemptOptions {
  /** How many lines at most. @default 20 */
  readonly shown?: number;
  /** The latest attempt that has ended, not a running one. @default false */
  readonly ended?: boolean;
  /** How many lines of the log are read. @default 5_000 */
  readonly looked?: number;
}

/**
 * Returns the output of the latest attempt. Without any keeper's line (a log of an older release) it is the whole log.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export async function readLastAttempt(
  path: string,
  { shown = DEFAULTS.shown, ended = false, looked = DEFAULTS.looked }: AttemptOptions = {},
): Promise<AttemptOutput> {
  const { lines } = await readLog(path, { lines: looked });
  const output: string[] = [];
  let end: LogNote | null = null;
  for (const { text } of lines.toReversed()) {
    const note = parseLogNote(text);
    if (note?.kind === "end") end ??= note;
    // The output of a running attempt does not count.
    if (ended && end === null) continue;
    if (note?.kind === "start") break;
    if (note === undefined) output.push(withoutColours(text));
  }
  return { lines: shorten(output.toReversed(), shown), printed: output.length, end };
}

/** Some languages print the cause at the beginning, others at the end. */
function shorten(lines: readonly string[], shown: number): readonly string[] {
  if (lines.length <= shown) return lines;
  const last = Math.floor((shown - 1) / 3);
  const first = shown - 1 - last;
  const left = lines.length - first - last;
  return [...lines.slice(0, first), `... ${left} more lines ...`, ...lines.slice(lines.length - last)];
}
