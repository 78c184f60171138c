/**
 * Watches every WebSocket of one gateway, whoever handles its messages: a peer that stops answering or never finishes a
 * message is dropped, and a peer that reads too slowly is cut off before its unsent messages fill the memory, which is bounded
 * for all peers together. The others do not notice. Used by the gateway host, which calls `sweep` once per heartbeat.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { GatewayLimits } from "./gateway-limits.ts";
import { readMessageInProgress } from "./message-progress.ts";
import type { Delivery, SharedMessage } from "./topics.ts";

/** The watch over the WebSockets of one gateway. */
export interface PeerWatch {
  /** `stream` is the connection under the WebSocket. */
  watch(socket: WebSocket, stream: Duplex): void;
  /** Sends one text message, or drops it and cuts the peer off when too much is unsent. A closing peer gets no more messages. */
  send(socket: WebSocket, message: SharedMessage): Delivery;
  /** One heartbeat: pings each socket, drops the dead and the slow. */
  sweep(): void;
  /** The unsent bytes of all peers together; a shared message counts once. */
  readonly unsentBytes: number;
}

/** One pong may still be on its way (a suspended machine may wake up in a sweep); two missing ones in a row mean silence. */
const MAX_UNANSWERED_PINGS = 2;
/** Time for a close frame to reach a peer that has begun to read again. */
const CUT_OFF_AFTER_MS = 1_000;
/**
 * When all peers together lag too much, each peer that lags by more than this is cut off; no honest reader of small messages
 * does.
 */
const FAIR_BACKLOG_BYTES = 65_536;
/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const POLICY_VIOLATION = 1_008;

const AS_TEXT = { binary: false } as const;

interface Peer {
  readonly stream: Duplex;
  unansweredPings: number;
  /** The message in progress at the last sweep, and when it began. */
  message: object | undefined;
  since: number;
}

function ignore(): void {}

function cutOff(socket: WebSocket, reason: string): void {
  socket.close(POLICY_VIOLATION, reason);
  setTimeout(() => socket.terminate(), CUT_OFF_AFTER_MS).unref();
}

/** Returns the watch of one gateway. */
export function watchPeers(
  limits: Pick<GatewayLimits, "maxBacklogBytes" | "maxTotalBacklogBytes" | "messageTimeoutMs">,
): PeerWatch {
  const peers = new Map<WebSocket, Peer>();
  /** Sockets whose messages of this turn are sent together, in one write each. */
  const corked = new Set<Duplex>();
  let unsentBytes = 0;

  const uncorkAll = (): void => {
    for (const stream of corked) stream.uncork();
    corked.clear();
  };

  const isCutOff = (socket: WebSocket, nextBytes: number): boolean => {
    if (socket.readyState !== socket.OPEN) return true;
    if (socket.bufferedAmount + nextBytes <= limits.maxBacklogBytes) return false;
    cutOff(socket, "reads too slowly");
    return true;
  };

  const dropLaggards = (): void => {
    for (const socket of peers.keys()) if (socket.bufferedAmount > FAIR_BACKLOG_BYTES) socket.terminate();
  };

  /** Whether this peer has been in the middle of one message for too long. */
  const isStuck = (socket: WebSocket, peer: Peer): boolean => {
    const message = readMessageInProgress(socket);
    const now = performance.now();
    if (message === undefined || message !== peer.message) {
      peer.message = message;
      peer.since = now;
      return false;
    }
    return now - peer.since >= limits.messageTimeoutMs;
  };

  return {
    watch(socket, stream) {
      const peer: Peer = { stream, unansweredPings: 0, message: undefined, since: 0 };
      peers.set(socket, peer);
      socket.on("pong", () => (peer.unansweredPings = 0));
      // Each ping is answered with a pong, and pongs pile up when the peer reads nothing.
      socket.on("ping", () => isCutOff(socket, 0));
      socket.on("close", () => peers.delete(socket));
      // A broken frame or connection closes the socket by itself, but an unhandled error event would end the process.
      socket.on("error", ignore);
    },
    send(socket, message) {
      const { length } = message.bytes;
      if (isCutOff(socket, length)) return "dropped";
      if (message.waiting === 0) {
        unsentBytes += length;
        if (unsentBytes > limits.maxTotalBacklogBytes) dropLaggards();
      }
      message.waiting += 1;
      const stream = peers.get(socket)?.stream;
      if (stream !== undefined && !corked.has(stream)) {
        if (corked.size === 0) process.nextTick(uncorkAll);
        stream.cork();
        corked.add(stream);
      }
      socket.send(message.bytes, AS_TEXT, () => {
        message.waiting -= 1;
        if (message.waiting === 0) unsentBytes -= length;
      });
      return "sent";
    },
    sweep() {
      for (const [socket, peer] of peers) {
        if (isCutOff(socket, 0)) continue;
        if (isStuck(socket, peer)) {
          cutOff(socket, "the message is not finished");
        } else if (peer.unansweredPings >= MAX_UNANSWERED_PINGS) {
          socket.terminate();
        } else {
          peer.unansweredPings += 1;
          socket.ping();
        }
      }
    },
    get unsentBytes() {
      return unsentBytes;
    },
  };
}
