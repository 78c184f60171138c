/**
 * The gateway's own service: JSON-RPC 2.0 over a WebSocket, with topics between its clients. One instance per gateway. The
 * host gives it every socket that passed the guard, unless the author has a handler.
 */
import type { WebSocket } from "ws";
import type { GatewayLimits } from "./gateway-limits.ts";
import { answerMessage, answerTooLarge, fitsIn, formatNotification, invalidParams } from "./json-rpc.ts";
import type { RpcMethod, RpcParams, RpcReply } from "./json-rpc.ts";
import type { PeerWatch } from "./peer-watch.ts";
import { createTopics, isTopicName, TOPIC_NAME_RULE } from "./topics.ts";
import type { Subscriber } from "./topics.ts";

/** The gateway's own methods, for the sockets handed to it. */
export interface RpcService {
  serve(socket: WebSocket): void;
  readonly topicCount: number;
}

/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const UNSUPPORTED_DATA = 1_003;

/** The most topics in one answer; with the longest names they still fit. */
const TOPICS_PER_PAGE = 1_000;

const TOO_MANY_TOPICS: RpcReply = { error: { code: -32_000, message: "Too many topics" } };
const PONG: RpcReply = { result: { pong: true } };

/** Returns the service. `describe` returns the answer of `gateway.info` and is called each time. */
export function createRpcService(
  peers: PeerWatch,
  limits: GatewayLimits,
  describe: () => Readonly<Record<string, unknown>>,
): RpcService {
  const topics = createTopics(limits);
  const methods: ReadonlyMap<string, RpcMethod<Subscriber>> = new Map<string, RpcMethod<Subscriber>>([
    ["gateway.ping", () => PONG],
    ["gateway.info", () => ({ result: { ...describe(), methods: [...methods.keys()] } })],
    [
      "topic.list",
      (params) => {
        const from = memberOf(params, "from") ?? 0;
        if (!isWhole(from, 0, Number.MAX_SAFE_INTEGER)) return invalidParams("from: the next of another page");
        const limit = memberOf(params, "limit") ?? TOPICS_PER_PAGE;
        if (!isWhole(limit, 1, TOPICS_PER_PAGE)) return invalidParams(`limit: 1 to ${TOPICS_PER_PAGE}`);
        return { result: topics.list(from, limit) };
      },
    ],
    [
      "topic.subscribe",
      (params, caller) => {
        const topic = memberOf(params, "topic");
        if (!isTopicName(topic)) return invalidParams(`topic: ${TOPIC_NAME_RULE}`);
        if (topics.subscribe(topic, caller) === "too-many") return TOO_MANY_TOPICS;
        return { result: { topic, subscribed: true } };
      },
    ],
    [
      "topic.unsubscribe",
      (params, caller) => {
        const topic = memberOf(params, "topic");
        if (!isTopicName(topic)) return invalidParams(`topic: ${TOPIC_NAME_RULE}`);
        topics.unsubscribe(topic, caller);
        return { result: { topic, subscribed: false } };
      },
    ],
    [
      "topic.publish",
      (params) => {
        const topic = memberOf(params, "topic");
        if (!isTopicName(topic)) return invalidParams(`topic: ${TOPIC_NAME_RULE}`);
        const data = memberOf(params, "data");
        if (data === undefined) return invalidParams("data: any JSON value");
        let refusal: RpcReply | undefined;
        const delivered = topics.publish(topic, () => {
          const text = formatNotification("topic.message", { topic, data });
          // 1e20 has four characters in a request, and twenty-one when it is written back.
          if (fitsIn(limits.maxAnswerBytes, text)) return Buffer.from(text);
          refusal = answerTooLarge(limits.maxAnswerBytes);
          return undefined;
        });
        return refusal ?? { result: { delivered } };
      },
    ],
  ]);

  return {
    serve(socket) {
      const subscriber: Subscriber = { deliver: (message) => peers.send(socket, message) };
      socket.on("message", (message: Buffer, isBinary: boolean) => {
        // The rest of a chunk is still parsed when the peer was cut off within it.
        if (socket.readyState !== socket.OPEN) return;
        if (isBinary) {
          socket.close(UNSUPPORTED_DATA, "JSON-RPC comes as text");
          return;
        }
        const answer = answerMessage(message.toString(), methods, subscriber, limits);
        if (answer !== undefined) peers.send(socket, { bytes: Buffer.from(answer), waiting: 0 });
      });
      socket.on("close", () => topics.leave(subscriber));
    },
    get topicCount() {
      return topics.size;
    },
  };
}

/** Own members only: `{"topic": ...}` counts, an array or an inherited name does not. */
function memberOf(params: RpcParams | undefined, name: string): unknown {
  if (params === undefined || Array.isArray(params) || !Object.hasOwn(params, name)) return undefined;
  return (params as Readonly<Record<string, unknown>>)[name];
}

function isWhole(value: unknown, lowest: number, highest: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= lowest && value <= highest;
}
