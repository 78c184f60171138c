/**
 * Says whether this process is part of a profile's run. A command inside a gateway (from an agent, a plugin, a shell that it
 * opened) would end itself half-way through a stop, so every stop asks here first. Changes nothing.
 */
import { isInsideRun as isPartOf, RUN_VARIABLE } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";

/** Returns whether the observed run lives, and ending it would end this process too. */
export function isInsideRun(context: ProfilesContext, { observed, record }: ProfileObservation): boolean {
  return observed.owner === "here" && record !== undefined && belongsToRun(context, record);
}

/** Returns whether this process was started in the run of `record`, even if that run is over. */
export function belongsToRun(context: ProfilesContext, { gateway, nonce }: RunRecord): boolean {
  // The environment may have been cleaned on the way; the ancestry still shows the run.
  return context.env[RUN_VARIABLE] === nonce || isPartOf({ leader: gateway, nonce });
}
