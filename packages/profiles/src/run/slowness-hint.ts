/** The hint for a start that has taken too long. */
import { findHolders, probeListener, readListeners, shellCommand } from "@lockkeeper/core/internal";
import type { HomePlace } from "../context.ts";
import { membershipOf } from "../ports/listener-verdict.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { portHint } from "./port-hint.ts";

/** Returns one sentence with a command. Waiting for a gateway without its own port would never end. */
export async function hintOnSlowness({ home }: HomePlace, observation: ProfileObservation): Promise<string> {
  const { manifest, record } = observation;
  const { name, health, host } = manifest;
  const isSilent = record !== undefined && (await probeListener(host, record.port)) === "silent";
  const look = `It goes on by itself; look again with: ${shellCommand("lockkeeper", "status", name)}`;
  if (health === "none" || !isSilent) return look;
  const hint = listensAnywhere(home, observation) ? portHint(manifest) : undefined;
  if (hint !== undefined) return hint;
  return `If it opens no port at all: ${shellCommand("lockkeeper", "edit", name, "--health", "none")}`;
}

function listensAnywhere(home: string, observation: ProfileObservation): boolean {
  const listeners = readListeners();
  if (listeners === "unknown") return false;
  const isOwn = membershipOf({ home }, observation);
  return [...findHolders(listeners).values()].some(({ pid }) => isOwn(pid));
}
