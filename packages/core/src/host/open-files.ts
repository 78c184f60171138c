/** How many files, sockets included, a process may have open. */
import { readdirSync, readFileSync } from "node:fs";

import { LockkeeperError } from "../errors.ts";

/**
 * How many files a keeper must be able to open. Measured with Node 20: with 24 it fails while it starts its gateway, with 28 it
 * keeps a built-in one, through a crash too. The rest is for a hook and a lease.
 */
export const KEEPER_FILES = 32;

/**
 * Returns when a keeper that this process is or starts may open as many files as it needs, or when the host does not tell.
 *
 * @throws {LockkeeperError} IO_FAILED with the limit.
 */
export function requireOpenFiles(): void {
  // Elsewhere the question takes longer than the start of a keeper.
  const limit = process.platform === "linux" ? openFileLimit() : undefined;
  if (limit === undefined || limit >= KEEPER_FILES) return;
  throw new LockkeeperError(
    "IO_FAILED",
    `a keeper needs ${KEEPER_FILES} open files or more, and a process may have only ${limit} here`,
    { hint: "Raise the limit, in a new shell where this one may not: ulimit -n 1024" },
  );
}

/**
 * Returns the soft limit of open files of the process `pid`; Infinity where there is none; undefined where it is unknown: for
 * other processes on a host without `/proc`, and for processes that we may not inspect.
 */
export function openFileLimit(pid: number = process.pid): number | undefined {
  try {
    const [, line = ""] = readFileSync(`/proc/${pid}/limits`, "utf8").split("\nMax open files", 2);
    return parseLimit(line.trimStart().split(" ", 1)[0]);
  } catch {
    return pid === process.pid ? limitFromReport() : undefined;
  }
}

/** Returns how many files a process has open; undefined where the host does not tell. */
export function countOpenFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** Without `/proc`: Node asks the system itself. Slow, so it is asked once a process. */
function limitFromReport(): number | undefined {
  const report: unknown = process.report.getReport();
  const soft = memberOf(memberOf(memberOf(report, "userLimits"), "open_files"), "soft");
  return parseLimit(typeof soft === "number" ? String(soft) : soft);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function parseLimit(text: unknown): number | undefined {
  if (text === "unlimited") return Number.POSITIVE_INFINITY;
  const limit = typeof text === "string" ? Number(text) : Number.NaN;
  return Number.isInteger(limit) && limit > 0 ? limit : undefined;
}
