/**
 * A control: the kernel's lock on a file that is named after the place's real path. Two paths of one place give two
 * locks.
 */
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { acquireFile } from "./kernel-file.js";

export async function acquire({ directory, timeoutMs }) {
  mkdirSync(join(directory, "lock"), { recursive: true });
  const name = createHash("sha256").update(realpathSync(directory)).digest("hex");
  return acquireFile(join(directory, "lock", name), timeoutMs, () => true);
}
