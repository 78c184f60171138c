/**
 * Finds the process that goes on serving after the keeper and the gateway of its run were killed: a server that the gateway
 * had started as a child, as `npm run` does. It is known by the run's port together with the run's marks, never by the port alone.
 * Changes nothing.
 */
import type { Listener } from "../host/listener.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import { identifyProcess, isInOwnNamespace } from "../host/process-identity.ts";
import { coversAddress, findHolders, readListeners } from "../host/sockets.ts";

/** The address at which a run serves. */
export interface ServedAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Returns the visible process of this pid namespace that listens there and belongs to the run, or null.
 *
 * @param isIts says whether a process belongs to the run.
 * @param listeners the host's. @default they are read
 */
export function findSurvivingServer(
  { host, port }: ServedAddress,
  isIts: (pid: number) => boolean,
  listeners: readonly Listener[] | "unknown" = readListeners(),
): ProcessIdentity | null {
  if (listeners === "unknown") return null;
  const there = listeners.filter((each) => each.port === port && coversAddress(each, host) === "yes");
  for (const { pid } of findHolders(there).values()) {
    if (isInOwnNamespace(pid) && isIts(pid)) return identifyProcess(pid) ?? null;
  }
  return null;
}
