/**
 * The gateway of an adopted profile that somebody else runs. Told by identity: the process that listens on the profile's
 * port is the one that OpenClaw's own record in the state directory names, or its title says what it is. Looks only.
 */
import { coversAddress, findHolders, type Holder, identifyProcess, readListeners } from "@lockkeeper/core";
import { readOpenClawLocks } from "../openclaw/openclaw-locks.ts";
import type { Manifest } from "../manifest.ts";
import type { ObservedState } from "./observed-state.ts";

/** Returns the external gateways of `manifests`, by profile name, with one look at the host for all of them. */
export function findExternalGateways(manifests: readonly Manifest[]): ReadonlyMap<string, ObservedState> {
  const found = new Map<string, ObservedState>();
  const listeners = readListeners();
  if (listeners === "unknown") return found;
  const onTheirPorts = listeners.filter((each) =>
    manifests.some(({ port, host }) => each.port === port && coversAddress(each, host) === "yes"),
  );
  const holders = findHolders(onTheirPorts);
  for (const manifest of manifests) {
    const listener = onTheirPorts.find((each) => each.port === manifest.port && holders.has(each));
    const holder = listener === undefined ? undefined : holders.get(listener);
    if (holder === undefined || !isItsGateway(manifest, holder)) continue;
    const gateway = identifyProcess(holder.pid) ?? null;
    const reason = `runs without a keeper of ours (pid ${holder.pid}, user ${holder.user})`;
    found.set(manifest.name, { state: "external", reason, owner: "here", gateway, keeper: null, leftover: false });
  }
  return found;
}

/** A record of a living process settles it; without one, only the holder's own name speaks for it. */
function isItsGateway({ paths }: Manifest, { pid, command }: Holder): boolean {
  const owners = readOpenClawLocks(paths.state).flatMap(({ owner }) => owner ?? []);
  return owners.length > 0 ? owners.some((owner) => owner.pid === pid) : /openclaw/i.test(command);
}
