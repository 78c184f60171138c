/**
 * Finds daemons that a command started: sockets that began to listen on the ports of a run, during the run, in a process
 * outside of it (`docker run -d`, `tmux new -d`, an existing daemon), or in one that only its ancestry shows to be part of it.
 * A socket is identified by its inode, which stays the same as long as it listens, even when its process is hidden. No process
 * is signalled because of it.
 */
import type { Listener } from "../host/listener.ts";
import { identifyProcess, ownIdentity } from "../host/process-identity.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { coversAddress, findHolders, readListeners } from "../host/sockets.ts";

/** A listening socket, as in the run record. */
export interface OutsideSocket {
  readonly port: number;
  /** Its inode, which identifies it until the next boot. */
  readonly socket: string;
  readonly bootId: string | null;
}

/** Where a run listens. */
export interface RunPlace {
  readonly host: string;
  /** The gateway's own port, which was free when it was started. */
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Returns the sockets outside of the run that began to listen on its ports since its gateway was started. On ports other than
 * the gateway's own, only sockets of processes that are visibly younger than the gateway.
 */
export function findOutsideSockets({ host, port, ports }: RunPlace, run: ProcessTreeQuery): readonly OutsideSocket[] {
  const all = [port, ...Object.values(ports)];
  const listeners = listenersNow().filter((each) => all.includes(each.port) && coversAddress(each, host) === "yes");
  if (listeners.length === 0) return [];
  const own = findHolders(listeners, { among: findRunProcesses(run).map(({ pid }) => pid) });
  const others = listeners.filter((listener) => !own.has(listener));
  const extra = findHolders(others.filter((listener) => listener.port !== port));
  const since = run.leader?.startTicks ?? Infinity;
  const isYounger = (listener: Listener): boolean => {
    const holder = extra.get(listener);
    return holder !== undefined && (identifyProcess(holder.pid)?.startTicks ?? -1) >= since;
  };
  return others.filter((listener) => listener.port === port || isYounger(listener)).map(asOutside);
}

function asOutside({ port, inode }: Listener): OutsideSocket {
  return { port, socket: inode, bootId: ownIdentity().bootId };
}

/**
 * Returns the sockets on the run's port whose process is part of the run, but carries no mark of it: when all its ancestors
 * were killed, nothing else would show where it came from.
 *
 * @param isMarked says whether a process carries a mark of the run.
 */
export function findUnmarkedSockets(
  { host, port }: RunPlace,
  run: ProcessTreeQuery,
  isMarked: (pid: number) => boolean,
): readonly OutsideSocket[] {
  const listeners = listenersNow().filter((each) => each.port === port && coversAddress(each, host) === "yes");
  // Nearly always the gateway itself listens, and the host's processes need not be read.
  const usual = findHolders(listeners, { among: run.leader === null ? [] : [run.leader.pid] });
  const others = listeners.filter((listener) => !usual.has(listener));
  if (others.length === 0) return [];
  const members = findHolders(others, { among: findRunProcesses(run).map(({ pid }) => pid) });
  return [...members].filter(([, { pid }]) => !isMarked(pid)).map(([listener]) => asOutside(listener));
}

/** Says whether the listener is one of those sockets. */
export function isOutsideSocket(listener: Listener, outside: readonly OutsideSocket[] = []): boolean {
  return outside.some(
    ({ port, socket, bootId }) =>
      port === listener.port && socket === listener.inode && bootId === ownIdentity().bootId,
  );
}

/** Returns those of the sockets that still listen. Reads the host's table only when there are any. */
export function stillListening(outside: readonly OutsideSocket[] = []): readonly OutsideSocket[] {
  if (outside.length === 0) return [];
  const listeners = listenersNow();
  return outside.filter((each) => listeners.some((listener) => isOutsideSocket(listener, [each])));
}

function listenersNow(): readonly Listener[] {
  const listeners = readListeners();
  return listeners === "unknown" ? [] : listeners;
}
