/**
 * Is this very process part of a profile's run? A command given inside a gateway (by an agent, a plugin, a shell that
 * it opened) would end itself half-way through a stop, so whoever ends a run asks here first. Changes nothing.
 */
import { isInsideRun as isPartOf, RUN_VARIABLE } from "@lockkeeper/core";
import type { RunRecord } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";

/** Returns whether the observed run lives, and ending it would end this process too. */
export function isInsideRun(context: ProfilesContext, { observed, record }: ProfileObservation): boolean {
  return observed.owner === "here" && record !== undefined && belongsToRun(context, record);
}

/** Returns whether this process was started in the run that `record` describes, be it over or not. */
export function belongsToRun(context: ProfilesContext, { gateway, nonce }: RunRecord): boolean {
  // The environment may have been cleaned on the way; the ancestry still shows whose child we are.
  return context.env[RUN_VARIABLE] === nonce || isPartOf({ leader: gateway, nonce });
}
