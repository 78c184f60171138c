/** Reads the record in a lock file, without locking, judging or waiting. */
import * as fs from "node:fs";
import { errnoOf } from "../errors.ts";
import type { ParsedLockRecord } from "./lock-record.ts";
import { LOCK_RECORD_BYTES, parseLockText } from "./lock-record.ts";

/** The `problem` of a missing file. */
export const NO_LOCK_FILE = "there is no lock file";

/** What is at the path of a lock file. `exists`: a readable plain file. */
export type Sighting = ParsedLockRecord & { readonly exists: boolean };

/** Reads the record in the file at `path`, without waiting on anything that is not a plain file. */
export function readLockRecord(path: string): Sighting {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    const errno = errnoOf(error);
    return {
      record: null,
      exists: false,
      problem: errno === "ENOENT" ? NO_LOCK_FILE : `the file cannot be read (${errno})`,
    };
  }
  try {
    return readRecordOf(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Reads the record in the file that `fd` has open. */
export function readRecordOf(fd: number): Sighting {
  try {
    const stats = fs.fstatSync(fd);
    if (!stats.isFile()) return { record: null, exists: false, problem: "the path is not a plain file" };
    const bytes = Buffer.allocUnsafe(LOCK_RECORD_BYTES);
    const length = fs.readSync(fd, bytes, 0, LOCK_RECORD_BYTES, 0);
    return { ...parseLockText(bytes.toString("utf8", 0, length)), exists: true };
  } catch (error) {
    return { record: null, exists: false, problem: `the file cannot be read (${errnoOf(error)})` };
  }
}
