/**
 * Every profile with what was published of it and what lives: one read of the run directory, and one look at the host
 * for adopted gateways that somebody else may run. For whoever looks at all profiles and is not measured against a bare
 * Node start, as `list` is.
 */
import { judgeProcess } from "@lockkeeper/core";
import type { ProfileObservation } from "./observe-profile.ts";
import { isAdopted, type Manifest } from "../manifest.ts";
import { type ObservedState, observeState } from "./observed-state.ts";
import { readRunRecords } from "./run-records.ts";

/** Returns the profiles that `manifests` describe as they are now. Changes nothing. */
export async function observeAll(home: string, manifests: readonly Manifest[]): Promise<readonly ProfileObservation[]> {
  const records = readRunRecords(home);
  const observations = manifests.map((manifest) => {
    const record = records.get(manifest.name);
    return { manifest, record, observed: observeState(record, judgeProcess) };
  });
  const adopted = observations.filter(({ manifest, observed }) => isAdopted(manifest) && isAtRest(observed));
  if (adopted.length === 0) return observations;
  const { findExternalGateways } = await import("./external-gateway.ts");
  const external = findExternalGateways(adopted.map(({ manifest }) => manifest));
  return observations.map((each) => {
    const observed = external.get(each.manifest.name);
    // What our keeper published last says nothing about a gateway that somebody else runs.
    return observed === undefined ? each : { manifest: each.manifest, record: undefined, observed };
  });
}

function isAtRest({ gateway, keeper }: ObservedState): boolean {
  return gateway === null && keeper === null;
}
