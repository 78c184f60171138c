/**
 * Reports changes of profiles as they happen. It checks cheap marks once a second and reads the profiles only when one has
 * changed, so a watch over stopped profiles costs a few file stamps. Writes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { pause } from "../interruptible.ts";
import { homePaths } from "../profile-paths.ts";
import { listProfiles } from "./list.ts";
import type { ProfileStatus } from "./profile-status.ts";

/** How often a watch checks, and its end. */
export interface WatchOptions {
  /** Pause between two checks. @default 1000 */
  readonly intervalMs?: number | undefined;
  /** Ask each living gateway for its health whenever the profiles are read. @default false */
  readonly probe?: boolean | undefined;
  /** Ends the watch without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** One changed profile; null when it did not exist before or is gone. */
export interface ProfileChange {
  readonly name: string;
  readonly before: ProfileStatus | null;
  readonly after: ProfileStatus | null;
}

/** The changes of one round. */
export interface ProfilesNews {
  /** All profiles now; after a fault, as last read. */
  readonly statuses: readonly ProfileStatus[];
  /** The changed ones; at first all of them. */
  readonly changes: readonly ProfileChange[];
  /** Why nothing could be read; a damaged registry may be repaired meanwhile. */
  readonly fault: LockkeeperError | null;
}

const DEFAULTS = {
  intervalMs: 1_000,
  /** Pause between two full reads without a changed mark, for changes that show in no file or pid. */
  fullLookMs: 15_000,
};

/**
 * Yields all profiles, then each change, until `signal` aborts. Changes that come faster than they are consumed are combined.
 *
 * @throws {TypeError} when `intervalMs` is not above zero.
 */
export async function* watchProfiles(
  context: ProfilesContext,
  { intervalMs = DEFAULTS.intervalMs, probe = false, signal = new AbortController().signal }: WatchOptions = {},
): AsyncGenerator<ProfilesNews, void> {
  if (!(intervalMs > 0)) throw new TypeError(`watch: intervalMs: expected a number above zero, got ${intervalMs}`);
  let statuses: readonly ProfileStatus[] = [];
  let marks = "";
  let lookedAt = -Infinity;
  let fault: LockkeeperError | null = null;
  let isFirst = true;
  while (!signal.aborted) {
    const present = readMarks(context.home, statuses);
    const now = performance.now();
    if (present !== marks || now - lookedAt >= DEFAULTS.fullLookMs) {
      marks = present;
      lookedAt = now;
      const seen = await look(context, probe, statuses);
      const changes = compare(statuses, seen.statuses);
      const isNews = isFirst || changes.length > 0 || seen.fault?.message !== fault?.message;
      statuses = seen.statuses;
      fault = seen.fault;
      isFirst = false;
      if (isNews) yield { statuses, changes, fault };
    }
    // Its only error is an abort of the signal, which ends the loop.
    await pause(intervalMs, signal).catch(() => undefined);
  }
}

async function look(
  context: ProfilesContext,
  probe: boolean,
  before: readonly ProfileStatus[],
): Promise<Pick<ProfilesNews, "statuses" | "fault">> {
  try {
    return { statuses: await listProfiles(context, { probe }), fault: null };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return { statuses: before, fault: error };
  }
}

/** Returns the differences between two lists, without the uptime, which always changes. Pure. */
function compare(before: readonly ProfileStatus[], after: readonly ProfileStatus[]): readonly ProfileChange[] {
  const earlier = new Map(before.map((status) => [status.name, status]));
  const later = new Map(after.map((status) => [status.name, status]));
  const changes: ProfileChange[] = [];
  for (const name of new Set([...later.keys(), ...earlier.keys()])) {
    const change = { name, before: earlier.get(name) ?? null, after: later.get(name) ?? null };
    if (withoutClock(change.before) !== withoutClock(change.after)) changes.push(change);
  }
  return changes;
}

function withoutClock(status: ProfileStatus | null): string {
  return JSON.stringify(status === null ? null : { ...status, uptimeMs: null, memoryBytes: null });
}

/** Marks that change with a profile, a run or a living process. */
function readMarks(home: string, statuses: readonly ProfileStatus[]): string {
  const { settings, registry, run } = homePaths(home);
  const vanished = statuses
    .filter(({ pid, keeperPid }) => [pid, keeperPid].some((each) => each !== null && !mayLive(each)))
    .map(({ name }) => name);
  return [...[registry, settings, run].map(markOf), ...vanished].join();
}

function markOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? "-" : `${stats.ino}.${stats.mtimeNs}.${stats.size}`;
}

/** Only a hint to check sooner, so a host without /proc loses nothing else. */
function mayLive(pid: number): boolean {
  return process.platform !== "linux" || existsSync(path.join("/proc", String(pid)));
}
