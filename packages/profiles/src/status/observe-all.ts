/**
 * Every profile with what was told of it and what is true: the observation for those who look at all of them. One read of
 * the run directory; what looks at the host is loaded only when a profile is not plainly at rest, since `list` is measured
 * against a bare Node start.
 */
import type { RunRecord } from "@lockkeeper/core";
import type { HomePlace } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { hasLockFile } from "./lock-files.ts";
import { observeAtRest } from "./observed-state.ts";
import type { ProfileObservation } from "./observe-profile.ts";
import { readRunRecord, readRunRecords } from "./run-records.ts";

/** Returns the one profile that `manifest` describes as it is now. Changes nothing. */
export async function observeOne(place: HomePlace, manifest: Manifest): Promise<ProfileObservation> {
  const record = readRunRecord(place.home, manifest.name, place.owner);
  if (isPlainlyAtRest(manifest, record)) return { manifest, record, observed: observeAtRest(record) };
  return (await import("./observe-profile.ts")).observeManifest(place, manifest);
}

/** Returns the profiles that `manifests` describe as they are now, in their order. Changes nothing. */
export async function observeAll(
  place: HomePlace,
  manifests: readonly Manifest[],
): Promise<readonly ProfileObservation[]> {
  const records = readRunRecords(place.home, place.owner);
  const observations: ProfileObservation[] = [];
  const unsure: number[] = [];
  for (const manifest of manifests) {
    const record = records.get(manifest.name);
    const observed = isPlainlyAtRest(manifest, record) ? observeAtRest(record) : undefined;
    if (observed === undefined) unsure.push(observations.length);
    observations.push({ manifest, record, observed: observed ?? observeAtRest(undefined) });
  }
  if (unsure.length === 0) return observations;
  const { observeEach } = await import("./observe-profile.ts");
  const seen = observeEach(
    place,
    unsure.flatMap((index) => observations[index] ?? []),
  );
  for (const [at, index] of unsure.entries()) {
    const observation = seen[at];
    if (observation !== undefined) observations[index] = observation;
  }
  return observations;
}

/** Its keeper said that it has ended, and neither a lock file nor somebody else's gateway can contradict it. */
function isPlainlyAtRest(manifest: Manifest, record: RunRecord | undefined): boolean {
  // Told by the word alone, so that the kinds need not be loaded: other gateways may run without a keeper of ours.
  if (manifest.kind !== "builtin" && manifest.kind !== "command") return false;
  if (hasLockFile(manifest.paths.lock)) return false;
  if (record === undefined) return true;
  const { state, keeper, gateway, profile } = record;
  const isOver = state === "stopped" || state === "failed";
  return isOver && keeper === null && gateway === null && profile === manifest.name;
}
