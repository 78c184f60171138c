/**
 * Finds the owner of the listener on a run's port: by the host's socket table and the run's own processes, never by an answer
 * on the wire. Sends nothing; only where the table does not say whether another `::` covers IPv4, a connect decides. For the
 * keeper, the supervised handoff and every stop.
 */
import { isIP } from "node:net";

import { hostWithPort, isWildcardHost } from "../host/address.ts";
import { isPlainlySilent, probeListener } from "../host/probe-port.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import type { Holder, Listener } from "../host/listener.ts";
import { coversAddress, findHolders, holdsListener, readListeners } from "../host/sockets.ts";

/** A process of the run listens. */
export interface OwnPort {
  readonly view: "ours";
  readonly holder: Holder;
  readonly listener: Listener;
  readonly address: string;
  /** On more addresses than requested. */
  readonly wider: boolean;
}

/** The owner of the listener on the run's port. */
export type PortView =
  | OwnPort
  /** Another process listens. `holder` is null when the host hides it. */
  | { readonly view: "stranger"; readonly holder: Holder | null; readonly address: string }
  | { readonly view: "nobody" }
  /** The host does not say. */
  | { readonly view: "unknown" };

/** Says whose listener would answer at `host` on one of `ports`, the run's own before any other. One read for all. */
export async function viewPorts(host: string, ports: readonly number[], run: ProcessTreeQuery): Promise<PortView> {
  if (isIP(host) === 4) {
    // Where our own listener is in this table, the other is not needed.
    const near = readListenersAt(host, ports, { tables: ["tcp"] });
    const own = near === "unknown" ? undefined : viewOwn(near, host, run);
    if (own !== undefined) return own;
  }
  const here = readListenersAt(host, ports);
  if (here === "unknown") return { view: "unknown" };
  const seen = viewListeners(here, host, run);
  if (seen.view === "ours" || seen.view === "nobody" || !mayBeElsewhere(here, host)) return seen;
  if (await isSilent(here, host)) return { view: "nobody" };
  // The listener may have opened after the table was read, and may be ours: by now it is in the table.
  const again = readListenersAt(host, ports);
  return again === "unknown" ? seen : viewListeners(again, host, run);
}

function readListenersAt(
  host: string,
  ports: readonly number[],
  view: Parameters<typeof readListeners>[0] = {},
): readonly Listener[] | "unknown" {
  const listeners = readListeners(view);
  if (listeners === "unknown") return "unknown";
  return listeners.filter((item) => ports.includes(item.port) && coversAddress(item, host) === "yes");
}

function viewListeners(here: readonly Listener[], host: string, run: ProcessTreeQuery): PortView {
  const [first] = here;
  if (first === undefined) return { view: "nobody" };
  const own = viewOwn(here, host, run);
  if (own !== undefined) return own;
  const holders = findHolders(here);
  const seen = here.find((listener) => holders.has(listener));
  if (seen !== undefined) return { view: "stranger", holder: holders.get(seen) ?? null, address: addressOf(seen) };
  // Our own socket may be hidden from us too: a program with file capabilities closes its /proc entries.
  const couldBeOurs = here.some((listener) => listener.uid === process.geteuid?.()) && findRunProcesses(run).length > 0;
  return couldBeOurs ? { view: "unknown" } : { view: "stranger", holder: null, address: addressOf(first) };
}

function viewOwn(here: readonly Listener[], host: string, run: ProcessTreeQuery): OwnPort | undefined {
  if (here.length === 0) return undefined;
  // The leader is nearly always the listener, so checking it first saves the walk over the process table.
  const ours = holderAmong(here, run.leader === null ? [] : [run.leader.pid]) ?? holderAmong(here, pidsOf(run));
  if (ours === undefined) return undefined;
  const [listener, holder] = ours;
  return { view: "ours", holder, listener, address: addressOf(listener), wider: isWider(listener, host) };
}

/** A run whose port is watched. */
export interface WatchedRun extends ProcessTreeQuery {
  /**
   * Called before a listener counts as a stranger: a process that has inherited the lock belongs to the run in any case. A
   * daemon may listen before the process that started it ends.
   */
  readonly heirs?: (() => readonly ProcessIdentity[]) | undefined;
}

/**
 * Checks one port of a run repeatedly. While its process still holds the known listener, nothing else is read, because on a
 * host with many connections the kernel takes tens of milliseconds to list its sockets.
 */
export class PortWatch {
  readonly #host: string;
  readonly #port: number;
  readonly #run: WatchedRun;
  #own: OwnPort | undefined;

  constructor(host: string, port: number, run: WatchedRun) {
    this.#host = host;
    this.#port = port;
    this.#run = run;
  }

  /**
   * Looks now.
   *
   * @param knocks whether a connection may be opened and closed first, which costs a hundredth of reading the host's sockets.
   */
  async look(knocks: boolean): Promise<PortView> {
    if (this.#own !== undefined) {
      const { listener, holder } = this.#own;
      if (holdsListener(holder.pid, listener)) return this.#own;
    }
    this.#own = undefined;
    if (knocks && (await isPlainlySilent(this.#host, this.#port))) return { view: "nobody" };
    let seen = await viewPorts(this.#host, [this.#port], this.#run);
    if (seen.view === "stranger") {
      const known = this.#run.heirs?.() ?? [];
      if (known.length > 0) seen = await viewPorts(this.#host, [this.#port], { ...this.#run, known });
    }
    this.#own = seen.view === "ours" ? seen : undefined;
    return seen;
  }
}

/** Returns all listeners of the run's processes with their pids; none where the host does not list them. */
export function findRunListeners(run: ProcessTreeQuery): ReadonlyMap<Listener, number> {
  const listeners = readListeners();
  if (listeners === "unknown") return new Map();
  return new Map([...findHolders(listeners, { among: pidsOf(run) })].map(([listener, { pid }]) => [listener, pid]));
}

/** The table does not say which `::` is for IPv6 alone. */
function mayBeElsewhere(listeners: readonly Listener[], host: string): boolean {
  return isIP(host) === 4 && listeners.every(({ family }) => family === 6);
}

/** Nothing answers at the IPv4 address: each of these `::` is for IPv6 alone. */
async function isSilent(listeners: readonly Listener[], host: string): Promise<boolean> {
  for (const { port } of listeners) if ((await probeListener(host, port)) !== "silent") return false;
  return true;
}

function holderAmong(listeners: readonly Listener[], pids: readonly number[]): [Listener, Holder] | undefined {
  return findHolders(listeners, { among: pids }).entries().next().value;
}

function pidsOf(run: ProcessTreeQuery): readonly number[] {
  return findRunProcesses(run).map((identity) => identity.pid);
}

function addressOf({ address, port }: Listener): string {
  return hostWithPort(address, port);
}

function isWider({ address }: Listener, host: string): boolean {
  return isWildcardHost(address) && !isWildcardHost(host);
}
