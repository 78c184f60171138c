/**
 * A program that a keeper opens at its start, because an upgrade may remove the file while the gateway runs, and the gateway
 * must be able to start again. An open descriptor keeps the content on the disk, and costs no memory.
 */
import { fstatSync, readSync } from "node:fs";

/** An open program. */
export interface KeptProgram {
  readonly path: string;
  /** Descriptor of one complete CommonJS file that needs no other file. It stays open as long as the run lasts. */
  readonly fd: number;
}

/** Returns its whole text, also after its file was removed. System errors are passed on. */
export function readKeptProgram({ fd }: KeptProgram): Uint8Array {
  const source = Buffer.alloc(fstatSync(fd).size);
  return source.subarray(0, readSync(fd, source, 0, source.length, 0));
}
