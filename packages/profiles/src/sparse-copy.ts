/**
 * Copies files with holes: a disk image of 10 GB that takes 4 KiB must not take 10 GB as a copy. The system's own copy writes
 * holes out as zeros, unless the file system can share blocks. Loaded only for such files.
 */
import { constants } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errnoOf, throwIfAborted } from "@lockkeeper/core/internal";

/** Read at once. */
const CHUNK_BYTES = 1024 * 1024;
/** So many zeros in a row, at a multiple of their number, become a hole. */
const HOLE_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/**
 * Copies the plain file `from` to `to`, which must not exist; long runs of zeros take no room in the copy. Throws the
 * system's errors as they are; a partial copy may remain.
 *
 * @throws {LockkeeperError} ABORTED when `signal` aborts.
 */
export async function copySparse(from: string, to: string, signal?: AbortSignal): Promise<void> {
  if (await sharesBlocks(from, to)) return;
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const copy = await open(to, "wx", 0o600);
    try {
      await copyContent(source, copy, () => throwIfAborted(signal, `while copying to ${to}`));
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

/** Where the file system can, the copy is made at once, with the same holes. */
async function sharesBlocks(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    // Whatever else is wrong, opening the two files says it.
    if (errnoOf(error) === "EEXIST") throw error;
    return false;
  }
}

async function copyContent(source: FileHandle, copy: FileHandle, check: () => void): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  for (;;) {
    check();
    const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    await writeData(copy, buffer.subarray(0, bytesRead), at);
    at += bytesRead;
  }
  // Behind the last byte that was written there may be a hole.
  await copy.truncate(at);
}

/** Writes all of `chunk` but its holes. */
async function writeData(copy: FileHandle, chunk: Buffer, at: number): Promise<void> {
  if (isZero(chunk)) return;
  for (let start = 0; start < chunk.length; start += HOLE_BYTES) {
    const part = chunk.subarray(start, start + HOLE_BYTES);
    if (isZero(part)) continue;
    for (let done = 0; done < part.length;) {
      done += (await copy.write(part, done, part.length - done, at + start + done)).bytesWritten;
    }
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(ZEROS.subarray(0, bytes.length));
}
