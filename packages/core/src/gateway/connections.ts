/**
 * Every TCP connection of one gateway, from accept to close, and how many there may be. Only a connection with the token may
 * last: it is *busy* while a request is in progress, or after it became a WebSocket. All others are *half open* (no complete
 * request head yet) or *idle*, and are closed when there are too many, the oldest first. So no flood without a token exhausts
 * descriptors or delays others. Used by the gateway host only.
 */
import type { Server, Socket } from "node:net";
import { openFileLimit } from "../host/open-files.ts";
import { BACKLOG } from "./exclusive-listener.ts";
import type { GatewayLimits } from "./gateway-limits.ts";

/** The connections of one server. */
export interface Connections {
  /** A request head is complete; a connection with too many unanswered requests is cut off. */
  arrived(socket: Socket): "arrived" | "cut-off";
  /** A request is answered. */
  answered(socket: Socket): void;
  /** A request with the token begins; `end` is called once it is answered. Too many at once: undefined. */
  begin(socket: Socket): { readonly end: () => void } | undefined;
  /** The connection becomes a WebSocket, if there is room for one. */
  upgrade(socket: Socket): "upgraded" | "too-many";
  /** Closes the connections without a request in progress. */
  dropWaiting(): void;
  /** Closes all of them. */
  dropAll(): void;
}

/**
 * For this long more connections than the limit may be half open, because many honest clients connect at once after a
 * restart.
 */
const GRACE_MS = 1_000;
/** Connections accepted together are read before any is judged, because a client sends its head as soon as it is connected. */
const SETTLE_MS = 20;

/** Tracks every connection that `server` accepts from now on. */
export function trackConnections(
  server: Server,
  wanted: Pick<GatewayLimits, "maxRequestConnections" | "maxHalfOpen" | "maxPipelined" | "maxWebSockets">,
  openFiles: number = openFileLimit() ?? Number.POSITIVE_INFINITY,
): Connections {
  const { maxRequests, maxHalfOpen, maxWebSockets, maxAccepted } = boundsFor(wanted, openFiles);
  /** In the order of arrival, with the time of it. */
  const halfOpen = new Map<Socket, number>();
  /** In the order of their last request. */
  const idle = new Set<Socket>();
  /** With the number of requests in progress; there are several when a client pipelines. */
  const busy = new Map<Socket, number>();
  const upgraded = new Set<Socket>();
  const unanswered = new WeakMap<Socket, number>();
  let pruning: NodeJS.Timeout | undefined;

  const drop = (socket: Socket): void => {
    halfOpen.delete(socket);
    idle.delete(socket);
    socket.destroy();
  };

  // By a timer, not by the next arrival: without descriptors no arrival would be reported.
  const pruneLater = (): void => {
    const tooMany = halfOpen.size + idle.size + busy.size > maxRequests;
    if (tooMany || halfOpen.size > maxHalfOpen) {
      pruning ??= setTimeout(prune, tooMany ? SETTLE_MS : GRACE_MS).unref();
    }
  };
  const prune = (): void => {
    pruning = undefined;
    const newest = performance.now() - GRACE_MS;
    for (const [oldest, since] of halfOpen) {
      if (halfOpen.size <= maxHalfOpen || since > newest) break;
      drop(oldest);
    }
    for (const oldest of [...idle, ...halfOpen.keys()]) {
      if (halfOpen.size + idle.size + busy.size <= maxRequests) break;
      drop(oldest);
    }
    pruneLater();
  };

  /** Before the next look at all of them: a newcomer takes the place of one that has been answered, or else of the oldest. */
  const makeRoom = (): void => {
    if (halfOpen.size + idle.size + busy.size + upgraded.size < maxAccepted) return;
    const [oldest] = idle.size > 0 ? idle : halfOpen.keys();
    if (oldest !== undefined) drop(oldest);
  };

  server.on("connection", (socket: Socket) => {
    makeRoom();
    halfOpen.set(socket, performance.now());
    socket.on("close", () => {
      halfOpen.delete(socket);
      idle.delete(socket);
      busy.delete(socket);
      upgraded.delete(socket);
    });
    pruneLater();
  });

  return {
    arrived(socket) {
      halfOpen.delete(socket);
      // What was read along with the last straw still comes, one by one.
      if (socket.destroyed) return "cut-off";
      const waiting = (unanswered.get(socket) ?? 0) + 1;
      unanswered.set(socket, waiting);
      if (waiting > wanted.maxPipelined) {
        drop(socket);
        skipRest(socket);
        return "cut-off";
      }
      if (!busy.has(socket)) {
        idle.delete(socket);
        idle.add(socket);
      }
      return "arrived";
    },
    answered: (socket) => void unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1),
    begin(socket) {
      // A quarter stays free for clients without a token yet and for health probes.
      if (!busy.has(socket) && busy.size >= Math.ceil(maxRequests * 0.75)) return undefined;
      idle.delete(socket);
      busy.set(socket, (busy.get(socket) ?? 0) + 1);
      return {
        end() {
          const others = (busy.get(socket) ?? 1) - 1;
          if (others > 0) busy.set(socket, others);
          else if (busy.delete(socket) && !socket.destroyed) idle.add(socket);
          pruneLater();
        },
      };
    },
    upgrade(socket) {
      if (upgraded.size >= maxWebSockets) return "too-many";
      idle.delete(socket);
      upgraded.add(socket);
      return "upgraded";
    },
    dropWaiting() {
      for (const socket of halfOpen.keys()) socket.destroy();
    },
    dropAll() {
      for (const socket of [...halfOpen.keys(), ...idle, ...busy.keys(), ...upgraded]) socket.destroy();
    },
  };
}

/**
 * Stops the parsing of a chunk with more requests of a connection that was cut off: Node would create an object for each, a
 * thousand in 64 KiB, before it noticed the end. The parser leaves data after an upgrade unread, so every further head is
 * treated as an upgrade. A Node without such a parser reads on. Source:
 * https://github.com/nodejs/node/blob/v20.19.0/lib/_http_server.js, parserOnIncoming
 */
function skipRest(socket: Socket & { readonly parser?: { onIncoming?: () => number } | null }): void {
  if (typeof socket.parser?.onIncoming === "function") socket.parser.onIncoming = () => 2;
}

/** The files that a process with only a gateway has open, and some spare ones. */
const KEPT_FILES = 64;

interface Bounds {
  readonly maxRequests: number;
  readonly maxHalfOpen: number;
  readonly maxWebSockets: number;
  /** All kinds together, at any moment. */
  readonly maxAccepted: number;
}

/**
 * Whatever is configured, some descriptors must stay free: for the listener, for files, and to accept the connections that
 * are refused.
 */
function boundsFor(
  { maxRequestConnections, maxHalfOpen, maxWebSockets }: Parameters<typeof trackConnections>[1],
  openFiles: number,
): Bounds {
  const maxRequests = Math.max(1, Math.min(maxRequestConnections, Math.floor(openFiles / 4)));
  const webSockets = Math.max(1, Math.min(maxWebSockets, Math.floor(openFiles / 2)));
  return {
    maxRequests,
    maxHalfOpen: Math.min(maxHalfOpen, maxRequests),
    maxWebSockets: webSockets,
    maxAccepted: Math.max(maxRequests, Math.min(webSockets + 2 * BACKLOG, openFiles - KEPT_FILES)),
  };
}
