/** One profile as it is at this moment: its plan, what was published, and what lives. */
import { type ErrorCode, judgeProcess, LockkeeperError, type RunRecord } from "@lockkeeper/core";
import { findExternalGateways } from "./external-gateway.ts";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { isAdopted, type Manifest } from "../manifest.ts";
import { latestRun } from "./locked-run.ts";
import { type ObservedState, observeState } from "./observed-state.ts";
import { describeProfile, type ProfileStatus } from "./profile-status.ts";
import { parseProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import { requireManifest } from "../registry/registry.ts";
import { readRunRecord } from "./run-records.ts";
import { readableSelection } from "../selection/selection.ts";

/** A profile's plan, its last published run, and what of it is true. */
export interface ProfileObservation {
  readonly manifest: Manifest;
  readonly record: RunRecord | undefined;
  readonly observed: ObservedState;
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
const aboutTheName: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["PROFILE_NOT_FOUND", "PROFILE_NAME_INVALID"]);

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
    const unreadable = error instanceof LockkeeperError && !aboutTheName.has(error.code);
    const record = unreadable ? readRunRecord(context.home, parseProfileName(name)) : undefined;
    if (record === undefined) throw error;
    return observeManifest(context, manifestOf(context.home, record));
  }
}

/** What a published run tells of its manifest. */
function manifestOf(home: string, { profile, host, port, ports, since }: RunRecord): Manifest {
  const name = parseProfileName(profile);
  const kind = "cdp" in ports ? "openclaw" : "command";
  const { span } = kinds[kind];
  const paths = profilePaths(home, name);
  return {
    schemaVersion: 1,
    name,
    kind,
    host,
    port,
    span,
    ports,
    health: "tcp",
    protected: false,
    createdAt: since,
    paths,
  };
}

/** Returns the profile that `manifest` describes as it is now; the registry is not read again. */
export function observeManifest(context: ProfilesContext, manifest: Manifest): ProfileObservation {
  const record = latestRun(context.home, manifest, context.owner);
  const observed = observeState(record, judgeProcess);
  const atRest = observed.gateway === null && observed.keeper === null;
  const external = atRest && isAdopted(manifest) ? findExternalGateways([manifest]).get(manifest.name) : undefined;
  // What our keeper published last says nothing about a gateway that somebody else runs.
  return external === undefined ? { manifest, record, observed } : { manifest, record: undefined, observed: external };
}

/** Returns the status that everybody is shown. Damaged settings hide the default, never what a profile is doing. */
export function statusOf(context: ProfilesContext, observation: ProfileObservation): ProfileStatus {
  const current = readableSelection(context);
  return describeProfile(observation.manifest, observation.observed, observation.record, current, Date.now());
}
