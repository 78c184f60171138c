/**
 * Profiles as they are at this moment: the plan, what was told last of the run, and what of it is true. The observation
 * that every command shares.
 */
import { LockkeeperError, warnAfter } from "@lockkeeper/core";
import type { ErrorCode, RunRecord } from "@lockkeeper/core";
import type { HomePlace, ProfilesContext } from "../context.ts";
import { isKindName, kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { parseProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import { requireManifest } from "../registry/registry.ts";
import { readableSelection } from "../selection/selection.ts";
import { Look } from "./evidence.ts";
import { findExternalGateways, mayRunElsewhere } from "./external-gateway.ts";
import { observeAtRest, observeState } from "./observed-state.ts";
import type { ObservedState } from "./observed-state.ts";
import { describeProfile } from "./profile-status.ts";
import type { ProfileStatus } from "./profile-status.ts";
import { readRunRecord } from "./run-records.ts";

/** A profile's plan, the latest run that was told of, and what of it is true. */
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
    // What our keeper told last says nothing about a gateway that somebody else runs.
    return observed === undefined ? each : { manifest: each.manifest, record: undefined, observed };
  });
}

/** Returns the profile that `manifest` describes as it is now; the registry is not read again. */
export function observeManifest(place: HomePlace, manifest: Manifest): ProfileObservation {
  const record = readRunRecord(place.home, manifest.name, place.owner);
  const [observation] = observeEach(place, [{ manifest, record }]);
  if (observation === undefined) throw new TypeError("expected one observation for one profile");
  return observation;
}

/**
 * Returns the profile as it is now.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export function observeProfile(context: ProfilesContext, name: string): ProfileObservation {
  return observeManifest(context, requireManifest(context.home, name, context.owner));
}

/** Answers of a registry that could be read. */
const ABOUT_THE_NAME: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["PROFILE_NOT_FOUND", "PROFILE_NAME_INVALID"]);

/**
 * Returns the profile as it is now, for whoever ends it: with a registry that cannot be read a gateway can still be
 * stopped, by what its keeper has published.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID; REGISTRY_DAMAGED and the like when nothing was
 *   published either.
 */
export function observeForStop(context: ProfilesContext, name: string): ProfileObservation {
  try {
    return observeProfile(context, name);
  } catch (error) {
    const unreadable = error instanceof LockkeeperError && !ABOUT_THE_NAME.has(error.code);
    const record = unreadable ? readRunRecord(context.home, parseProfileName(name)) : undefined;
    if (record === undefined) throw error;
    return observeManifest(context, manifestOf(context.home, name, record));
  }
}

/** What a published run tells of its manifest. A record of the first release names no kind: only OpenClaw's ports do. */
function manifestOf(home: string, profile: string, { kind: named, host, port, ports, since }: RunRecord): Manifest {
  const name = parseProfileName(profile);
  const guessed = "cdp" in ports ? "openclaw" : "command";
  const kind = named !== undefined && isKindName(named) ? named : guessed;
  return {
    schemaVersion: 1,
    name,
    kind,
    host,
    port,
    span: kinds[kind].span,
    ports,
    health: "tcp",
    protected: false,
    createdAt: since,
    paths: profilePaths(home, name),
  };
}

/** Returns the status that everybody is shown. Damaged settings hide the default, never what a profile is doing. */
export function statusOf(context: ProfilesContext, observation: ProfileObservation): ProfileStatus {
  const current = readableSelection(context);
  return describeProfile(observation.manifest, observation.observed, observation.record, current, Date.now());
}

/** Returns the status of a profile that a change has just written; when it cannot be looked at, that of one at rest. */
export function statusAfterChange(context: ProfilesContext, manifest: Manifest): ProfileStatus {
  try {
    return statusOf(context, observeManifest(context, manifest));
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    // The change is made: that it cannot be shown must not be told as if it were not.
    warnAfter("the change is made", error);
    return describeProfile(manifest, observeAtRest(undefined), undefined, null, Date.now());
  }
}
