/**
 * A control: the kernel's lock, which also refuses while the kernel's list shows a lock on an equal inode, on any disk.
 */
import { fstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { acquireFile } from "./kernel-file.js";

const isAlone = (fd) => readFileSync("/proc/locks", "latin1").split(`:${fstatSync(fd).ino} `).length <= 2;

export async function acquire({ directory, timeoutMs }) {
  mkdirSync(join(directory, "lock"), { recursive: true });
  return acquireFile(join(directory, "lock", "file"), timeoutMs, isAlone);
}
