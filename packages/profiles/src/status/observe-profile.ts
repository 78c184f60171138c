/**
 * Observes profiles: the plan, the last record of the run, and what is true of it now. Every command shares this observation.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { RunRecord } from "@lockkeeper/core";
import { existsSync } from "node:fs";
import type { HomePlace, ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { parseProfileName } from "../profile-name.ts";
import { gatewayLogPath, historyPath } from "../profile-paths.ts";
import { requireManifest } from "../registry/registry.ts";
import { readableSelection } from "../selection/selection.ts";
import { Look } from "./evidence.ts";
import { findExternalGateways, mayRunElsewhere } from "./external-gateway.ts";
import { observeAtRest, observeState } from "./observed-state.ts";
import type { ObservedState } from "./observed-state.ts";
import { isPlainlyAtRest } from "./plainly-at-rest.ts";
import { describeProfile } from "./profile-status.ts";
import type { ProfileStatus } from "./profile-status.ts";
import { readRunRecord } from "./run-records.ts";
import { manifestOfRun, profilesWithoutRegistry, warnOfRegistry } from "./without-registry.ts";

/** A profile's plan, its last recorded run, and what is true of it now. */
export interface ProfileObservation {
  readonly manifest: Manifest;
  readonly record: RunRecord | undefined;
  readonly observed: ObservedState;
}

/** Returns the same profiles, looked at: one look at the host for all of them. */
export function observeEach(
  place: HomePlace,
  profiles: readonly Pick<ProfileObservation, "manifest" | "record">[],
  look: Look = new Look(place),
): readonly ProfileObservation[] {
  const own = profiles.map(({ manifest, record: published }): ProfileObservation => {
    const evidence = look.about(manifest, published);
    return { manifest, record: evidence.record, observed: observeState(evidence) };
  });
  const resting = own.filter(({ manifest, observed }) => observed.owner === "nobody" && mayRunElsewhere(manifest));
  if (resting.length === 0) return own;
  const external = findExternalGateways(resting.map(({ manifest }) => manifest));
  return own.map((each) => {
    const observed = external.get(each.manifest.name);
    // Our keeper's last record says nothing about a gateway that another manager runs.
    return observed === undefined ? each : { manifest: each.manifest, record: undefined, observed };
  });
}

/** Returns the profile that `manifest` describes as it is now; the registry is not read again. */
export function observeManifest(place: HomePlace, manifest: Manifest, look?: Look): ProfileObservation {
  const record = readRunRecord(place.home, manifest.name, place.owner);
  const [observation] = observeEach(place, [{ manifest, record }], look);
  if (observation === undefined) throw new TypeError("expected one observation for one profile");
  return observation;
}

/**
 * Returns the profile as it is now.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export function observeProfile(context: ProfilesContext, name: string, look?: Look): ProfileObservation {
  return observeManifest(context, requireManifest(context.home, name, context.owner), look);
}

/**
 * Returns the profile as it is now, as far as its record and the names of its lock files tell: where both say that nobody owns it,
 * the host is not asked, and an owner whose lock file was just deleted is not seen. For verbs that find out by themselves, as they
 * take the lock or act on an owner's record alone.
 */
export function observeBriefly(place: HomePlace, manifest: Manifest): ProfileObservation {
  const record = readRunRecord(place.home, manifest.name, place.owner);
  if (isPlainlyAtRest(manifest, record)) return { manifest, record, observed: observeAtRest(record) };
  return observeManifest(place, manifest);
}

/**
 * Returns the profile as it is now, for a stop: with an unreadable registry, or one that does not name it any more, a gateway can
 * still be stopped, by the last good copy and by its keeper's record. A registry that cannot be read is warned of.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; REGISTRY_DAMAGED and the like when nothing else tells of it.
 */
export function observeForStop(context: ProfilesContext, name: string): ProfileObservation {
  try {
    return observeRegistered(context, requireManifest(context.home, name, context.owner));
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code === "PROFILE_NAME_INVALID") throw error;
    if (error.code !== "PROFILE_NOT_FOUND") {
      const known = profilesWithoutRegistry(context, error);
      const manifest = known.registry.get(parseProfileName(name));
      if (manifest === undefined) throw error;
      warnOfRegistry(context.home, known);
      return observeRegistered(context, manifest);
    }
    const seen = observeUnregistered(context, name);
    if (seen === undefined || seen.observed.owner === "nobody") throw error;
    return seen;
  }
}

/** `down` asks this of every profile there is. */
function observeRegistered(context: ProfilesContext, manifest: Manifest): ProfileObservation {
  const seen = observeBriefly(context, manifest);
  if (seen.record !== undefined) return seen;
  // Its record may have been removed under a living owner: then only the kernel knows.
  const look = lookOfThisTurn(context);
  return hasRun(manifest) || !look.listsNoMarks() ? observeManifest(context, manifest, look) : seen;
}

/**
 * Returns the run that was published under a name, whatever the registry says; undefined when none was. After somebody has put back
 * an older registry, a run may live that the registry does not name.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID
 */
export function observeUnregistered(place: HomePlace, name: string): ProfileObservation | undefined {
  const record = readRunRecord(place.home, parseProfileName(name));
  return record === undefined ? undefined : observeManifest(place, manifestOfRun(place.home, name, record));
}

const looks = new WeakMap<HomePlace, Look>();

/** One look for everything that asks in the same turn of the event loop, as a `down` of a thousand profiles does. */
function lookOfThisTurn(place: HomePlace): Look {
  let look = looks.get(place);
  if (look === undefined) {
    look = new Look(place);
    looks.set(place, look);
    setImmediate(() => looks.delete(place));
  }
  return look;
}

/** Whether the profile has ever run, by its history or its log. */
export function hasRun({ paths }: Manifest): boolean {
  return existsSync(historyPath(paths)) || existsSync(gatewayLogPath(paths));
}

/** Returns the status for display. Damaged settings hide the default, never the state of a profile. */
export function statusOf(context: ProfilesContext, observation: ProfileObservation): ProfileStatus {
  const current = readableSelection(context);
  return describeProfile(observation.manifest, observation.observed, observation.record, current, Date.now());
}
