/**
 * Every profile with what was told of it and what is true: the observation for those who look at all of them. One read of
 * the run directory; what looks at the host is loaded only when a profile is not plainly at rest, since `list` is measured
 * against a bare Node start.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { lookAtKernelLocks, readyLockList, warnAfter } from "@lockkeeper/core/internal";
import { statSync } from "node:fs";
import type { HomePlace, ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { homePaths } from "../profile-paths.ts";
import { readableSelection } from "../selection/selection.ts";
import type { Look } from "./evidence.ts";
import { hasLockFile } from "./lock-files.ts";
import { isPlainlyAtRest, isSaidToRest } from "./plainly-at-rest.ts";
import { observeAtRest } from "./observed-state.ts";
import type { ProfileObservation } from "./observe-profile.ts";
import { describeProfile } from "./profile-status.ts";
import type { ProfileStatus } from "./profile-status.ts";
import { readRunRecord, readRunRecords } from "./run-records.ts";

/** Returns the one profile that `manifest` describes as it is now. Changes nothing. */
export async function observeOne(place: HomePlace, manifest: Manifest): Promise<ProfileObservation> {
  const record = readRunRecord(place.home, manifest.name, place.owner);
  if (isPlainlyAtRest(manifest, record)) return { manifest, record, observed: observeAtRest(record) };
  return (await import("./observe-profile.ts")).observeManifest(place, manifest);
}

/** Returns the status of a profile that a change has just written; when it cannot be observed, that of a stopped one. */
export async function statusAfterChange(context: ProfilesContext, manifest: Manifest): Promise<ProfileStatus> {
  try {
    const { observed, record } = await observeOne(context, manifest);
    return describeProfile(manifest, observed, record, readableSelection(context), Date.now());
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    // The change is made, so a failure to show it must not look like a failure of the change.
    warnAfter("the change is made", error);
    return describeProfile(manifest, observeAtRest(undefined), undefined, null, Date.now());
  }
}

/**
 * From so many profiles on, one reading of the kernel's list of locks is cheaper than a look at each lock directory. For fewer it is
 * not: the kernel waits for all its cores to make the list, for milliseconds.
 */
const MANY = 300;

/** A registry of so many profiles is at least of this size. */
const MANY_BYTES = MANY * 150;

/** Has the kernel get ready for {@link observeAll} while the registry is read, when that seems to hold many profiles. */
export function foresee(home: string): void {
  try {
    if (statSync(homePaths(home).registry).size >= MANY_BYTES) readyLockList();
  } catch {
    // Reading it says what is wrong.
  }
}

/**
 * Returns the profiles that `manifests` describe as they are now, in their order. Changes nothing.
 *
 * @param isLocked whether a directory of locks has lock files, for a caller that asks more about them. @default it is read
 */
export async function observeAll(
  place: HomePlace,
  manifests: readonly Manifest[],
  isLocked: (lockDir: string) => boolean = hasLockFile,
): Promise<readonly ProfileObservation[]> {
  const records = readRunRecords(place.home, place.owner);
  const observations: ProfileObservation[] = [];
  const resting: number[] = [];
  const unsure: number[] = [];
  for (const manifest of manifests) {
    const record = records.get(manifest.name);
    (isSaidToRest(manifest, record) ? resting : unsure).push(observations.length);
    observations.push({ manifest, record, observed: record === undefined ? NEVER_RAN : observeAtRest(record) });
  }
  const isLockedAt = (index: number): boolean => isLocked(observations[index]?.manifest.paths.lock ?? "");
  if (resting.length < MANY) {
    await lookAgain(place, observations, [...unsure, ...resting.filter(isLockedAt)]);
    return observations;
  }
  const locks = lookAtKernelLocks("list");
  let made: Look | undefined;
  // Most lists have nothing to look at closely.
  const look = async (): Promise<Look> => (made ??= new (await import("./evidence.ts")).Look(place, locks));
  await lookAgain(place, observations, unsure, look);
  // Is nobody left who could own a profile of the home, besides those that were asked about? Then the others are free.
  const hasSeenAll = locks.hasSeenAllIn(homePaths(place.home).profiles);
  if (!hasSeenAll) await lookAgain(place, observations, resting.filter(isLockedAt), look);
  return observations;
}

/** One for all of them. */
const NEVER_RAN = observeAtRest(undefined);

/** Puts what the host says into the places of `observations`. */
async function lookAgain(
  place: HomePlace,
  observations: ProfileObservation[],
  at: readonly number[],
  look?: () => Promise<Look>,
): Promise<void> {
  if (at.length === 0) return;
  const { observeEach } = await import("./observe-profile.ts");
  const seen = observeEach(
    place,
    at.flatMap((index) => observations[index] ?? []),
    await look?.(),
  );
  for (const [order, index] of at.entries()) {
    const observation = seen[order];
    if (observation !== undefined) observations[index] = observation;
  }
}
