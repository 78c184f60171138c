/** The abstract Unix sockets that replace a lock file where kernel locks are not available: their names and their holders. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";

import { sha256 } from "../sha256.ts";

/**
 * Some versions of Node pad a shorter abstract name with zeros and others do not. Only a name of full length means the same
 * socket to all of them. Source: unix(7), sun_path has 108 bytes.
 */
const NAME_BYTES = 108;

const PREFIX = "lockkeeper-";

/**
 * Returns the names of the sockets that stand for the lock file `path`: one after the directory itself, whatever path leads to
 * it, and one after its path, as release 0.1.0 has it. System errors are passed on.
 */
export function lockSocketNames(path: string): readonly string[] {
  const directory = realpathSync(dirname(path));
  const { dev, ino } = statSync(directory, { bigint: true });
  return [`${dev}:${ino}/${basename(path)}`, `${directory}/${basename(path)}`].map(socketName);
}

/**
 * Returns the names in `/proc/<pid>/fd` for the bound sockets of the lock file `path`; empty when no visible process has
 * them.
 */
export function findLockSockets(path: string): readonly string[] {
  try {
    const shown = lockSocketNames(path).map((name) => ` @${name.slice(1)}`);
    return readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .filter((line) => shown.some((name) => line.endsWith(name)))
      .map((line) => `socket:[${line.trim().split(/\s+/)[6]}]`);
  } catch {
    return [];
  }
}

/** Whether any lock in this network namespace is owned by its socket; `true` also where the host does not tell. */
export function hasLockSockets(): boolean {
  try {
    return readFileSync("/proc/net/unix", "utf8").includes(` @${PREFIX}`);
  } catch {
    return true;
  }
}

function socketName(place: string): string {
  const name = `\0${PREFIX}${sha256(place)}-`;
  return name.padEnd(NAME_BYTES, "x");
}
