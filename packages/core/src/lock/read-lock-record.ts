/** Reads what a lock file says of its owner, without locking, judging or waiting. */
import * as fs from "node:fs";
import { errnoOf } from "../errors.ts";
import type { ParsedLockRecord } from "./lock-record.ts";
import { LOCK_RECORD_BYTES, parseLockRecord } from "./lock-record.ts";

/** The `problem` of a sighting where there is no file. */
export const NO_LOCK_FILE = "there is no lock file";

/** What is at the place of a lock file. `inode` is null when no file could be opened. */
export type Sighting = ParsedLockRecord & { readonly inode: bigint | null };

/** Reads what the file at `path` says, without waiting on anything that is not a plain file. */
export function readLockRecord(path: string): Sighting {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    const errno = errnoOf(error);
    return {
      record: null,
      inode: null,
      problem: errno === "ENOENT" ? NO_LOCK_FILE : `the file cannot be read (${errno})`,
    };
  }
  try {
    const stats = fs.fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return { record: null, inode: null, problem: "what is there is not a plain file" };
    const bytes = Buffer.allocUnsafe(LOCK_RECORD_BYTES);
    const length = fs.readSync(fd, bytes, 0, LOCK_RECORD_BYTES, 0);
    return { ...parseLockRecord(bytes.subarray(0, length)), inode: stats.ino };
  } catch (error) {
    return { record: null, inode: null, problem: `the file cannot be read (${errnoOf(error)})` };
  } finally {
    fs.closeSync(fd);
  }
}
