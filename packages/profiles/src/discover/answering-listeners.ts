/**
 * Finds the listeners of this host that answer like a gateway: one pass over the sockets, one over the processes, then health
 * probes to this machine only, bounded in number and time.
 */
import { setMaxListeners } from "node:events";
import { probeHealth } from "@lockkeeper/core";
import { findHolders, isWildcardHost, readListeners } from "@lockkeeper/core/internal";
import type { Health } from "@lockkeeper/core";
import type { Holder, Listener } from "@lockkeeper/core/internal";
import { throwIfAborted } from "../interruptible.ts";

/** All listeners of one process on one port. */
export interface ListeningPort {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly owner: Holder | null;
  readonly health: Health;
}

const LIMITS = {
  probesAtOnce: 32,
  /** A gateway on this machine answers within a few milliseconds; this allows for a busy one. */
  probeTimeoutMs: 1_000,
};

/**
 * Returns every listening port of this host, by number, or `unknown` where the host does not list them.
 *
 * @param isOurs whether a pid belongs to the run of a profile: that is asked by its own check, if at all.
 * @throws {LockkeeperError} ABORTED when `signal` aborts.
 */
export async function findListeningPorts(
  isOurs: (pid: number) => boolean,
  signal?: AbortSignal,
): Promise<readonly ListeningPort[] | "unknown"> {
  const listeners = readListeners();
  if (listeners === "unknown") return "unknown";
  const ports = groupByPort(listeners, findHolders(listeners));
  // One abort listener for each probe under way: without this, Node would warn about a leak.
  const over = signal === undefined ? undefined : AbortSignal.any([signal]);
  if (over !== undefined) setMaxListeners(2 * LIMITS.probesAtOnce, over);
  const queue = ports.entries();
  const worker = async (): Promise<void> => {
    for (const [index, found] of queue) {
      const host = probeAddress(found.addresses);
      if (host === undefined || (found.owner !== null && isOurs(found.owner.pid))) continue;
      const { health } = await probeHealth({ host, port: found.port, timeoutMs: LIMITS.probeTimeoutMs, signal: over });
      ports[index] = { ...found, health };
    }
  };
  await Promise.all(Array.from({ length: Math.min(LIMITS.probesAtOnce, ports.length) }, worker));
  throwIfAborted(signal);
  return ports;
}

function groupByPort(listeners: readonly Listener[], holders: ReadonlyMap<Listener, Holder>): ListeningPort[] {
  const groups = new Map<string, ListeningPort>();
  for (const listener of listeners) {
    const owner = holders.get(listener) ?? null;
    const key = `${listener.port} ${owner?.pid ?? `uid ${listener.uid}`}`;
    const group = groups.get(key) ?? { port: listener.port, addresses: [], owner, health: "unknown" };
    groups.set(key, { ...group, addresses: [...group.addresses, listener.address] });
  }
  return [...groups.values()].sort((a, b) => a.port - b.port);
}

/** The address that reaches the listener without leaving this machine; undefined when it listens only on another interface. */
function probeAddress(addresses: readonly string[]): string | undefined {
  return addresses.find((address) => address.startsWith("127.") || address === "::1" || isWildcardHost(address));
}
