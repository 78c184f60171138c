/**
 * Finds the gateway of a profile that another manager runs: by the program's own record in this state directory and a verified
 * process, on any port. A process that merely listens on the profile's port is a stranger. Changes nothing.
 */
import type { ProcessIdentity } from "@lockkeeper/core";
import type { ProgramRecord } from "../foreign-program.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import type { ObservedState } from "./observed-state.ts";

/** Returns whether gateways of this kind can be recognised without one of our keepers. */
export function mayRunElsewhere({ kind }: Pick<Manifest, "kind">): boolean {
  return kinds[kind].records !== undefined;
}

/** Returns the external gateways of `manifests`, by profile name. */
export function findExternalGateways(manifests: readonly Manifest[]): ReadonlyMap<string, ObservedState> {
  const found = new Map<string, ObservedState>();
  for (const manifest of manifests) {
    const record = recordOf(manifest, "gateway");
    if (record?.owner === undefined || record.owner === null) continue;
    const { port, owner } = record;
    const elsewhere =
      port === null || port === manifest.port ? "" : ` on port ${port}, not on its own ${manifest.port}`;
    found.set(manifest.name, {
      state: "external",
      reason: `runs without a keeper of ours${elsewhere} (pid ${owner.pid})`,
      owner: "here",
      gateway: owner,
      keeper: null,
      leftover: false,
      port: port ?? manifest.port,
    });
  }
  return found;
}

/**
 * Returns the living process that has the profile's state open according to the program's own record, a gateway or not; or
 * undefined.
 */
export function findStateOwner(manifest: Manifest): ProcessIdentity | undefined {
  return recordOf(manifest)?.owner ?? undefined;
}

function recordOf({ kind, paths }: Manifest, role?: ProgramRecord["role"]): ProgramRecord | undefined {
  const records = kinds[kind].records?.(paths) ?? [];
  return records.find((record) => record.owner !== null && (role === undefined || record.role === role));
}
