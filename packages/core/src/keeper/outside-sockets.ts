/**
 * What a command has handed its work to: sockets that began to listen on the ports of a run, during the run, in a process that is no
 * part of it (of `docker run -d`, `tmux new -d`, a daemon that was there before). A socket is known by its inode, which is the
 * kernel's and stays the same as long as it listens, whoever may see its process. Nobody is signalled for it.
 */
import type { Listener } from "../host/listener.ts";
import { identifyProcess, ownIdentity } from "../host/process-identity.ts";
import { findRunProcesses } from "../host/process-tree.ts";
import type { ProcessTreeQuery } from "../host/process-tree.ts";
import { coversAddress, findHolders, readListeners } from "../host/sockets.ts";

/** A listening socket, as the run record holds it. */
export interface OutsideSocket {
  readonly port: number;
  /** Its inode, which names it until the next boot. */
  readonly socket: string;
  readonly bootId: string | null;
}

/** The ports of a run. */
export interface RunPlace {
  readonly host: string;
  /** It was free when the run's gateway was started. */
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * Returns the sockets outside of the run that began to listen on its ports since its gateway was started. Of a port besides the
 * gateway's own, only those whose process is seen to be younger than the gateway.
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
  return others
    .filter((listener) => listener.port === port || isYounger(listener))
    .map((listener) => ({ port: listener.port, socket: listener.inode, bootId: ownIdentity().bootId }));
}

/** Says whether the listener is one of those sockets. */
export function isOutsideSocket(listener: Listener, outside: readonly OutsideSocket[] = []): boolean {
  return outside.some(
    ({ port, socket, bootId }) =>
      port === listener.port && socket === listener.inode && bootId === ownIdentity().bootId,
  );
}

/** Returns those of the sockets that still listen. Looks at the host only when there are any. */
export function stillListening(outside: readonly OutsideSocket[] = []): readonly OutsideSocket[] {
  if (outside.length === 0) return [];
  const listeners = listenersNow();
  return outside.filter((each) => listeners.some((listener) => isOutsideSocket(listener, [each])));
}

function listenersNow(): readonly Listener[] {
  const listeners = readListeners();
  return listeners === "unknown" ? [] : listeners;
}
