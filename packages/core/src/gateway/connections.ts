/**
 * Every TCP connection of one gateway, from accept to close. A connection is *waiting* until its first request head is
 * complete; only so many may wait for long, so a flood of half-open ones neither exhausts descriptors nor delays
 * others. Used by the gateway host only.
 */
import type { Server, Socket } from "node:net";

/** The connections of one server, as far as a shutdown and a flood are concerned. */
export interface Connections {
  /** The first request of this connection arrived. */
  arrived(socket: Socket): void;
  /** Closes the connections that never sent a request. */
  dropWaiting(): void;
  /** Closes all of them. */
  dropAll(): void;
}

/** Connections that may wait for as long as Node's own header timeout lets them. */
const MAX_WAITING = 128;
/** For this long even more than that may wait: many honest clients connect at once after a restart. */
const GRACE_MS = 1_000;

/** Looks after every connection that `server` accepts from now on. */
export function trackConnections(server: Server): Connections {
  const all = new Set<Socket>();
  /** In the order of arrival, with the time of it. */
  const waiting = new Map<Socket, number>();
  let pruning: NodeJS.Timeout | undefined;

  // By a timer and not by the next arrival: out of descriptors, there is none that we would hear of.
  const pruneLater = (): void => {
    if (waiting.size > MAX_WAITING) pruning ??= setTimeout(prune, GRACE_MS).unref();
  };
  const prune = (): void => {
    pruning = undefined;
    const newest = performance.now() - GRACE_MS;
    for (const [oldest, since] of waiting) {
      if (waiting.size <= MAX_WAITING || since > newest) break;
      waiting.delete(oldest);
      oldest.destroy();
    }
    pruneLater();
  };

  server.on("connection", (socket: Socket) => {
    all.add(socket);
    waiting.set(socket, performance.now());
    socket.once("close", () => {
      all.delete(socket);
      waiting.delete(socket);
    });
    pruneLater();
  });

  return {
    arrived: (socket) => void waiting.delete(socket),
    dropWaiting() {
      for (const socket of waiting.keys()) socket.destroy();
    },
    dropAll() {
      for (const socket of all) socket.destroy();
    },
  };
}
