/**
 * The files of a gateway's log as one sequence of bytes. A position is the count of bytes ever written (the index beside each file
 * says where it begins), so it stays valid when the file is rotated. Only reads; needs no lock. For the readers of a log.
 */
import * as fs from "node:fs";

import { fileError } from "../errors.ts";
import { openFile } from "../storage/private-file.ts";
import { KEPT_FILES, readLogBase, rotatedPath } from "./log-index.ts";

/** A position in everything that was ever written to a log. */
export type LogPosition = number;

/** One file of the log: its bytes are `base` to `base + sizeBytes` of everything ever written. */
export interface LogFile {
  readonly path: string;
  readonly base: LogPosition;
  readonly sizeBytes: number;
  readonly changedMs: number;
}

/** How much is read at once. */
export const CHUNK_BYTES = 65_536;
/** In characters. */
export const MAX_LINE_LENGTH = 8_192;
/** The byte that ends a line. */
export const LINE_FEED = 0x0a;

/** Returns the files of the log, oldest first; none when there is no log. */
export function findFiles(path: string): readonly LogFile[] {
  const files: LogFile[] = [];
  for (let number = 0; number <= KEPT_FILES; number += 1) {
    const file = findFile(rotatedPath(path, number), files[0]);
    // During a rotation the present file and its copy begin at the same position: one of them is enough.
    if (file !== undefined && file.base < (files[0]?.base ?? Infinity)) files.unshift(file);
  }
  return files;
}

/** Says whether both looks at a log found the same files; false when it was rotated in between. */
export function isSameLog(before: readonly LogFile[], now: readonly LogFile[]): boolean {
  return before.length === now.length && before.every((file, index) => file.base === now[index]?.base);
}

/** Returns the file that holds the byte after `position`: the oldest one when that byte is gone, the present one past the end. */
export function findFileAt(path: string, position: LogPosition): LogFile | undefined {
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

/**
 * Returns the bytes from `from` to `to` of one file, or fewer; none when the file was rotated away meanwhile.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED with path and errno.
 */
export function readRange(path: string, from: number, to: number): Buffer {
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

/** Removes bytes that were never written: a long run of zeros is a hole in the file, left by a writer with its own position. */
export function withoutHoles(piece: Buffer): Buffer {
  if (!piece.includes(HOLE)) return piece;
  const text = piece.toString("latin1").replaceAll(/\0{64,}/g, "");
  return Buffer.from(text, "latin1");
}

const HOLE = Buffer.alloc(64);

/** Returns the line; of one longer than {@link MAX_LINE_LENGTH} its beginning, as one event must not fill a terminal. */
export function cutLine(line: string): string {
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line;
}
