/**
 * The gateway's own service: JSON-RPC 2.0 over a WebSocket, with topics between its clients. One instance per
 * gateway; the host hands it every socket that passed the guard, unless the author brought a handler.
 */
import type { WebSocket } from "ws";
import { answerMessage, formatNotification, invalidParams, type RpcMethod, type RpcParams } from "./json-rpc.ts";
import type { PeerWatch } from "./peer-watch.ts";
import { createTopics, isTopicName, TOPIC_NAME_RULE, type Subscriber } from "./topics.ts";

/** The gateway's own methods, for the sockets handed to it. */
export interface RpcService {
  serve(socket: WebSocket): void;
  readonly topicCount: number;
}

/** Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const UNSUPPORTED_DATA = 1_003;

/** Returns the service. `describe` gives what `gateway.info` answers, asked anew each time. */
export function rpcService(peers: PeerWatch, describe: () => Readonly<Record<string, unknown>>): RpcService {
  const topics = createTopics();
  const methods: ReadonlyMap<string, RpcMethod<Subscriber>> = new Map<string, RpcMethod<Subscriber>>([
    ["gateway.ping", () => ({ result: { pong: true } })],
    ["gateway.info", () => ({ result: { ...describe(), methods: [...methods.keys()] } })],
    ["topic.list", () => ({ result: { topics: topics.list() } })],
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
        return {
          result: { delivered: topics.publish(topic, () => formatNotification("topic.message", { topic, data })) },
        };
      },
    ],
  ]);

  return {
    serve(socket) {
      const subscriber: Subscriber = { deliver: (message) => peers.send(socket, message) };
      socket.on("message", (message: Buffer, isBinary: boolean) => {
        if (isBinary) {
          socket.close(UNSUPPORTED_DATA, "JSON-RPC comes as text");
          return;
        }
        const answer = answerMessage(message.toString(), methods, subscriber);
        if (answer !== undefined) peers.send(socket, answer);
      });
      socket.on("close", () => topics.leave(subscriber));
    },
    get topicCount() {
      return topics.size;
    },
  };
}

const TOO_MANY_TOPICS = { error: { code: -32_000, message: "Too many topics" } };

/** Own members only: `{"topic": ...}` counts, an array or an inherited name does not. */
function memberOf(params: RpcParams | undefined, name: string): unknown {
  if (params === undefined || Array.isArray(params) || !Object.hasOwn(params, name)) return undefined;
  return (params as Readonly<Record<string, unknown>>)[name];
}
