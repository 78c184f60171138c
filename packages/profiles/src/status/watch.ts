/**
 * What changes, as it happens. Cheap marks are looked at once a second, and the profiles themselves only when one of them has
 * moved: a watch over profiles at rest costs a few file stamps. Asks no gateway and writes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import { pause } from "../interruptible.ts";
import { homePaths } from "../profile-paths.ts";
import { listProfiles } from "./list.ts";
import type { ProfileStatus } from "./profile-status.ts";

/** How often a watch looks, and what ends it. */
export interface WatchOptions {
  /** Between two looks. @default 1000 */
  readonly intervalMs?: number | undefined;
  /** Ends the watch without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** One profile that is not as it was; null where there is none. */
export interface ProfileChange {
  readonly name: string;
  readonly before: ProfileStatus | null;
  readonly after: ProfileStatus | null;
}

/** What a look has found that was new. */
export interface ProfilesNews {
  /** All profiles as they are now; after a fault, as they were seen last. */
  readonly statuses: readonly ProfileStatus[];
  /** Those that are not as they were; all of them at first. */
  readonly changes: readonly ProfileChange[];
  /** Why nothing could be read: a registry that is damaged may be put right meanwhile. */
  readonly fault: LockkeeperError | null;
}

const DEFAULTS = {
  intervalMs: 1_000,
  /** Between two full looks although no mark has moved: what neither a file nor a pid tells. */
  fullLookMs: 15_000,
};

/**
 * Yields what is there, then each change, until `signal` aborts. Changes that come faster than they are taken are told as one.
 *
 * @throws {TypeError} when `intervalMs` is not above zero.
 */
export async function* watchProfiles(
  context: ProfilesContext,
  { intervalMs = DEFAULTS.intervalMs, signal = new AbortController().signal }: WatchOptions = {},
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
      const seen = await look(context, statuses);
      const changes = compare(statuses, seen.statuses);
      const isNews = isFirst || changes.length > 0 || seen.fault?.message !== fault?.message;
      statuses = seen.statuses;
      fault = seen.fault;
      isFirst = false;
      if (isNews) yield { statuses, changes, fault };
    }
    // Its only error is that the signal aborts, which ends the loop.
    await pause(intervalMs, signal).catch(() => undefined);
  }
}

async function look(
  context: ProfilesContext,
  before: readonly ProfileStatus[],
): Promise<Pick<ProfilesNews, "statuses" | "fault">> {
  try {
    return { statuses: await listProfiles(context, { probe: false }), fault: null };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return { statuses: before, fault: error };
  }
}

/** Returns what differs between two lists. How long a gateway is up changes always, and is no news. Pure. */
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

/** What changes when a profile, a run or a living process does. */
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

/** Only a hint to look sooner, so a host without /proc loses nothing but that. */
function mayLive(pid: number): boolean {
  return process.platform !== "linux" || existsSync(path.join("/proc", String(pid)));
}
