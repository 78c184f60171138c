/**
 * A profile's history (`logs/events.jsonl`): one line of JSON per state change, with the reason. Bounded: past 1 MiB the file
 * becomes `.1`, and the older `.1` is removed. Written by the process that holds the profile's lock; anyone may read it.
 * Control bytes never reach the file raw, and no line is longer than 8 KiB.
 */
import * as fs from "node:fs";

import { fileError } from "../errors.ts";
import { jsonText } from "../plain-text.ts";
import { readIfPresentSync } from "../storage/small-file.ts";
import { openForAppend } from "../storage/private-file.ts";
import { isPath, optionCheck } from "../wrong-options.ts";
import type { LastWords } from "./last-words.ts";
import type { GatewayExit, PublishedState } from "./run-record.ts";
import { isExit, isPublishedState } from "./run-record.ts";

/** One change of state. */
export interface HistoryEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly state: PublishedState;
  readonly reason: string | null;
  /** The documented error code behind `blocked` and `failed`. */
  readonly code: string | null;
  /** The gateway's own process. */
  readonly pid: number | null;
  readonly keeperPid: number;
  readonly restarts: number;
  /** Set when the gateway's end led to this state. */
  readonly exit: GatewayExit | null;
  /** True for a fact that is not a change of state; it may be written after the run. */
  readonly note?: true;
  /** The memory of its processes at the last sample before its end. Absent: nothing ended, or unknown. */
  readonly memoryBytes?: number;
  /** Its last output before its end, without secrets. Absent: nothing ended, or unknown. */
  readonly output?: LastWords;
}

const DEFAULTS = {
  maxFileBytes: 1024 * 1024,
  /** Keeps a whole line below the limit of 8 KiB, other fields and escapes included. */
  maxReasonLength: 1_000,
};

/** Returns the event as one line, line feed included. */
export function formatHistoryEvent(event: HistoryEvent): string {
  const reason = event.reason?.slice(0, DEFAULTS.maxReasonLength) ?? null;
  return `${jsonText({ ...event, reason })}\n`;
}

/**
 * Appends to the history, creating it with mode 0600.
 *
 * @param lines from {@link formatHistoryEvent}.
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is there.
 * @throws {LockkeeperError} DISK_FULL, DISK_READ_ONLY, PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export function appendHistory(path: string, lines: string): void {
  try {
    const sizeBytes = fs.lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (sizeBytes >= DEFAULTS.maxFileBytes) fs.renameSync(path, `${path}.1`);
    const fd = openForAppend(path);
    try {
      fs.writeFileSync(fd, endsTorn(fd) ? `\n${lines}` : lines);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, "write the history", path);
  }
}

/**
 * Returns all readable events, oldest first; none when there is no history. Incomplete lines are skipped.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when something other than a plain file of one name is there.
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export function readHistory(path: string): readonly HistoryEvent[] {
  optionCheck("readHistory")("path", path, "a path", isPath);
  const lines = [`${path}.1`, path].flatMap((file) => readIfPresentSync(file, "any")?.split("\n") ?? []);
  return lines.flatMap((line) => parseHistoryEvent(line) ?? []);
}

/** Returns the event in `line`, or undefined when the line is not a complete event. */
export function parseHistoryEvent(line: string): HistoryEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const event = value as Partial<HistoryEvent>;
  if (typeof event.at !== "string" || !isPublishedState(event.state)) return undefined;
  return {
    at: event.at,
    state: event.state,
    reason: textOrNull(event.reason),
    code: textOrNull(event.code),
    pid: numberOrNull(event.pid),
    keeperPid: numberOrNull(event.keeperPid) ?? 0,
    restarts: numberOrNull(event.restarts) ?? 0,
    exit: isExit(event.exit) ? event.exit : null,
    ...(event.note === true ? { note: true } : {}),
    ...(typeof event.memoryBytes === "number" ? { memoryBytes: event.memoryBytes } : {}),
    ...(isLastWords(event.output) ? { output: event.output } : {}),
  };
}

function isLastWords(value: Partial<LastWords> | undefined): value is LastWords {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof value.printed === "number" &&
    Array.isArray(value.lines) &&
    value.lines.every((line) => typeof line === "string")
  );
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** A write to a full disk left half a line: the next one must not continue it. */
function endsTorn(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  fs.readSync(fd, last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}
