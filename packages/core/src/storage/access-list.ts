/**
 * Says whether a file or folder has an access control list, which may give access to users and groups besides those of its
 * mode. Node has no call for it, so `ls` is asked. Linux only, and only where the answer matters: see `bits-of-others.ts`.
 */
import { execFileSync } from "node:child_process";

/** Reading one inode takes a few milliseconds; a hanging file system must not block us. */
const TIMEOUT_MS = 2_000;
/** `ls -l` writes a mark behind the ten characters of type and mode: `+` for a list. */
const MARK_AT = 10;
/** One process asks about the same few folders repeatedly. */
const MAX_KNOWN = 1_000;

const known = new Map<string, boolean>();

/**
 * Returns whether `path` has one; false also when unknown (no `ls`, or one without support for lists).
 *
 * @param changed the time of the inode's last change: an answer is valid for that time only.
 */
export function hasAccessList(path: string, changed: number): boolean {
  if (process.platform !== "linux") return false;
  const key = `${changed} ${path}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const answer = ask(path);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, answer);
  return answer;
}

function ask(path: string): boolean {
  try {
    const line = execFileSync("/bin/ls", ["-ldn", "--", path], {
      encoding: "latin1",
      env: { LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
    });
    return line.charAt(MARK_AT) === "+";
  } catch {
    return false;
  }
}
