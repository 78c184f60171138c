/**
 * Follows a gateway's log while it is written, across rotations and restarts: no line comes twice or is skipped. Only reads; needs no
 * lock.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

import { pause } from "../pause.ts";
import { isPath, optionCheck, refuseUnknownOptions } from "../wrong-options.ts";
import { CHUNK_BYTES, cutLine, findFileAt, LINE_FEED, MAX_LINE_LENGTH, readRange, withoutHoles } from "./log-files.ts";
import type { LogPosition } from "./log-files.ts";

/** Where {@link followLog} begins, and its end. */
export interface FollowOptions {
  readonly from: LogPosition;
  readonly signal: AbortSignal;
  /** When `signal` aborts, what is there already comes first. @default false */
  readonly drain?: boolean;
}

const DEFAULTS = {
  lookMs: 100,
  /** A rotation takes milliseconds; a reader does not wait longer for an index. */
  rotationLooks: 10,
};

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
      await pause(DEFAULTS.lookMs, signal);
      continue;
    }
    if (position > file.base + file.sizeBytes) {
      // Between truncation and new index, or the log was replaced by hand.
      looksPastEnd += 1;
      if (looksPastEnd > DEFAULTS.rotationLooks) position = file.base;
      await pause(DEFAULTS.lookMs, signal);
      continue;
    }
    looksPastEnd = 0;
    const begin = Math.max(position, file.base);
    const to = Math.min(file.sizeBytes, begin - file.base + CHUNK_BYTES);
    const chunk = readRange(file.path, begin - file.base, to);
    // The log was rotated during the read, so these bytes may be from another position. The right ones are in `.1` by now.
    const still = findFileAt(path, position);
    if (still?.base !== file.base || still.path !== file.path) continue;
    position = begin + chunk.length;
    const output = Buffer.concat([rest, withoutHoles(chunk)]);
    const whole = output.lastIndexOf(LINE_FEED) + 1;
    // A line that is longer than the limit is passed on in pieces.
    const end = whole === 0 && output.length > CHUNK_BYTES ? output.length : whole;
    rest = Buffer.from(output.subarray(end));
    if (end > 0) yield output.subarray(0, end);
    // Timers and signals get their turn, however fast the output comes.
    await nextTurn();
  }
  if (drain && rest.length > 0) yield rest;
}

/** {@link followOutput}, line by line: each line when it is complete, without its line feed, cut when it is very long. */
export async function* followLog(path: string, options: FollowOptions): AsyncGenerator<string, void> {
  optionCheck("followLog")("path", path, "a path", isPath);
  refuseUnknownOptions("followLog", options, { from: "needed count", signal: "needed signal", drain: "flag" });
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of followOutput(path, options)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH + 1);
    for (const line of lines) yield cutLine(line);
  }
  if (options.drain === true && rest !== "") yield cutLine(rest);
}
