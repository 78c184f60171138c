/**
 * Keeps every WebSocket of one gateway honest, whoever handles its messages: a peer that stopped answering is
 * dropped, and one that reads too slowly is cut off before its unsent messages fill the memory. The others do not
 * notice. Used by the gateway host, which calls `sweep` once per heartbeat.
 */
import type { WebSocket } from "ws";
import type { Delivery } from "./topics.ts";

/** The WebSockets of one gateway, as far as their honesty is concerned. */
export interface PeerWatch {
  watch(socket: WebSocket): void;
  /** Sends one text message, or drops it and cuts the peer off when too much is unsent. A closing peer gets no more. */
  send(socket: WebSocket, text: string | Buffer): Delivery;
  /** One heartbeat: pings each socket, drops the dead and the slow. */
  sweep(sockets: Iterable<WebSocket>): void;
}

/** One may be on its way back while we look (a suspended machine wakes up into a sweep); two in a row are silence. */
const MAX_UNANSWERED_PINGS = 2;
/** For a close frame to get through to a peer that has begun to read again. */
const CUT_OFF_AFTER_MS = 1_000;
/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const POLICY_VIOLATION = 1_008;

const AS_TEXT = { binary: false } as const;

/** Returns the watch of one gateway. A peer with more than `maxBacklogBytes` unsent is cut off. */
export function peerWatch(limits: { readonly maxBacklogBytes: number }): PeerWatch {
  const unanswered = new WeakMap<WebSocket, number>();

  const isCutOff = (socket: WebSocket): boolean => {
    if (socket.bufferedAmount <= limits.maxBacklogBytes) return false;
    socket.close(POLICY_VIOLATION, "reads too slowly");
    setTimeout(() => socket.terminate(), CUT_OFF_AFTER_MS).unref();
    return true;
  };

  return {
    watch(socket) {
      unanswered.set(socket, 0);
      socket.on("pong", () => unanswered.set(socket, 0));
      // A broken frame or connection closes the socket by itself; the event only must not go unheard.
      socket.on("error", () => undefined);
    },
    send(socket, text) {
      if (socket.readyState !== socket.OPEN || isCutOff(socket)) return "dropped";
      socket.send(text, AS_TEXT);
      return "sent";
    },
    sweep(sockets) {
      for (const socket of sockets) {
        if (socket.readyState !== socket.OPEN || isCutOff(socket)) continue;
        const pings = unanswered.get(socket) ?? 0;
        if (pings >= MAX_UNANSWERED_PINGS) {
          socket.terminate();
          continue;
        }
        unanswered.set(socket, pings + 1);
        socket.ping();
      }
    },
  };
}
