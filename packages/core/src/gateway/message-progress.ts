/**
 * Says whether a WebSocket is in the middle of receiving a message. ws reports only complete messages, so this reads its
 * receiver once per heartbeat. The version of ws is pinned, and a test fails when the fields have moved. Parsing the frames a
 * second time would cost on every chunk. Source: https://github.com/websockets/ws/blob/8.23.0/lib/receiver.js
 */
import type { WebSocket } from "ws";

/** ws waits for the first two bytes of a frame in this state, and has none of them. */
const BETWEEN_FRAMES = 0;

/**
 * Returns an object that stays the same until a message is finished; undefined when none is in progress or the state is
 * unknown.
 */
export function readMessageInProgress(socket: WebSocket): object | undefined {
  const receiver = memberOf(socket, "_receiver");
  const fragments = memberOf(receiver, "_fragments");
  if (typeof fragments !== "object" || fragments === null) return undefined;
  const inMessage = memberOf(receiver, "_fragmented") !== 0;
  const inFrame = memberOf(receiver, "_state") !== BETWEEN_FRAMES || memberOf(receiver, "_bufferedBytes") !== 0;
  return inMessage || inFrame ? fragments : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
