/** The hint for a start that has taken too long. */
import { findHolders, probeListener, readListeners, shellCommand } from "@lockkeeper/core/internal";
import type { HomePlace } from "../context.ts";
import { membershipOf } from "../ports/listener-verdict.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { portHint } from "./port-hint.ts";

/** Returns one sentence with a command. Waiting for a gateway without its own port would never end. */
export async function hintOnSlowness(place: HomePlace, observation: ProfileObservation): Promise<string> {
  const { name, health } = observation.manifest;
  const crashes = observation.record?.restarts ?? 0;
  if (crashes > 0) {
    const times = crashes === 1 ? "once" : `${crashes} times`;
    return `It has ended by itself ${times} so far; what it printed: ${shellCommand("lockkeeper", "why", name)}`;
  }
  const look = `It goes on by itself; look again with: ${shellCommand("lockkeeper", "status", name)}`;
  if (health === "none" || !(await isSilent(observation))) return look;
  const hint = hintOnOtherPort(place, observation);
  return hint ?? `If it opens no port at all: ${shellCommand("lockkeeper", "edit", name, "--health", "none")}`;
}

/**
 * Returns the hint for a program that listens, but not on its port so far; undefined for any other. It proves nothing: a
 * debugger, a metrics port or a helper often comes first.
 */
export async function hintWhileWaiting(place: HomePlace, observation: ProfileObservation): Promise<string | undefined> {
  return (await isSilent(observation)) ? hintOnOtherPort(place, observation) : undefined;
}

async function isSilent({ manifest: { host }, record }: ProfileObservation): Promise<boolean> {
  return record !== undefined && (await probeListener(host, record.port)) === "silent";
}

function hintOnOtherPort({ home }: HomePlace, observation: ProfileObservation): string | undefined {
  return listensAnywhere(home, observation) ? portHint(observation.manifest) : undefined;
}

function listensAnywhere(home: string, observation: ProfileObservation): boolean {
  const listeners = readListeners();
  if (listeners === "unknown") return false;
  const isOwn = membershipOf({ home }, observation);
  return [...findHolders(listeners).values()].some(({ pid }) => isOwn(pid));
}
