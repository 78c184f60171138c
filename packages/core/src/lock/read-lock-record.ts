/** Reads the record in a lock file, without locking, judging or waiting. */
import * as fs from "node:fs";
import { errnoOf } from "../errors.ts";
import type { ParsedLockRecord } from "./lock-record.ts";
import { LOCK_RECORD_BYTES, parseLockText } from "./lock-record.ts";

/** The `problem` of a missing file. */
export const NO_LOCK_FILE = "there is no lock file";

const NOT_PLAIN = "the path is not a plain file";

/** What is at the path of a lock file. `exists`: a readable plain file. */
export type Sighting = ParsedLockRecord & { readonly exists: boolean };

/** Reads the record in the file at `path`, without waiting on anything that is not a plain file. */
export function readLockRecord(path: string): Sighting {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    return { record: null, exists: false, problem: problemOf(error) };
  }
  try {
    return readRecordOf(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function problemOf(error: unknown): string {
  const errno = errnoOf(error);
  switch (errno) {
    case "ENOENT":
      return NO_LOCK_FILE;
    case "ELOOP":
      return "the path is a symbolic link";
    // A socket.
    case "ENXIO":
      return NOT_PLAIN;
    default:
      return `the file cannot be read (${errno})`;
  }
}

/** Reads the record in the file that `fd` has open. */
export function readRecordOf(fd: number): Sighting {
  try {
    const stats = fs.fstatSync(fd);
    if (!stats.isFile()) return { record: null, exists: false, problem: NOT_PLAIN };
    const bytes = Buffer.allocUnsafe(LOCK_RECORD_BYTES);
    const length = fs.readSync(fd, bytes, 0, LOCK_RECORD_BYTES, 0);
    return { ...parseLockText(bytes.toString("utf8", 0, length)), exists: true };
  } catch (error) {
    return { record: null, exists: false, problem: `the file cannot be read (${errnoOf(error)})` };
  }
}
