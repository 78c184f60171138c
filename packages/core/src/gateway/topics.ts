/**
 * The subscribers of each topic, and the fan-out of one message to all of them. A topic exists as long as it has a subscriber;
 * names and numbers are bounded, so a client cannot make the gateway's memory grow without limit. It knows neither sockets nor
 * the protocol.
 */
import type { GatewayLimits } from "./gateway-limits.ts";

/** Whether a message was accepted, or its receiver is being cut off. */
export type Delivery = "sent" | "dropped";

/** Receives each message of its topics. */
export interface Subscriber {
  deliver(message: SharedMessage): Delivery;
}

/** One message, as bytes shared by all receivers: not to be changed. */
export interface SharedMessage {
  readonly bytes: Buffer;
  /** The number of receivers that wait for it. */
  waiting: number;
}

/** Some of the topics, in the order of their creation. */
export interface TopicPage {
  readonly topics: readonly { readonly topic: string; readonly subscribers: number }[];
  /** The start of the next page; absent on the last one. */
  readonly next?: number;
}

/** The topics of one gateway. */
export interface Topics {
  /** Subscribing twice is the same as once. */
  subscribe(topic: string, subscriber: Subscriber): "subscribed" | "too-many";
  unsubscribe(topic: string, subscriber: Subscriber): void;
  /** Removes the subscriber from every topic. */
  leave(subscriber: Subscriber): void;
  /**
   * Returns how many subscribers the message goes to. `message` is called at most once; when it returns undefined, nothing is
   * sent.
   */
  publish(topic: string, message: () => Buffer | undefined): number;
  /** Returns up to `limit` topics from `from` on, which is the `next` of another page. */
  list(from: number, limit: number): TopicPage;
  readonly size: number;
}

/** Characters in a topic's name. */
const MAX_NAME_LENGTH = 128;

/** What {@link isTopicName} accepts, for error messages. */
export const TOPIC_NAME_RULE: string = `a name of 1 to ${MAX_NAME_LENGTH} characters, well-formed and without control characters`;

/** Whether this value may name a topic. Half a surrogate pair may not, because JSON writes it as six characters. */
export function isTopicName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_NAME_LENGTH && /^[^\p{Cc}\p{Cs}]+$/u.test(value);
}

interface Topic {
  /** Counts all topics that ever existed, so that a page can begin after a removed one. */
  readonly serial: number;
  readonly subscribers: Set<Subscriber>;
}

/** Returns an empty set of topics. */
export function createTopics(limits: Pick<GatewayLimits, "maxTopics" | "maxTopicsPerClient">): Topics {
  const byName = new Map<string, Topic>();
  const topicsOf = new Map<Subscriber, Set<string>>();
  let lastSerial = 0;

  const unsubscribe = (name: string, subscriber: Subscriber): void => {
    const topic = byName.get(name);
    if (topic?.subscribers.delete(subscriber) === true && topic.subscribers.size === 0) byName.delete(name);
    const names = topicsOf.get(subscriber);
    if (names?.delete(name) === true && names.size === 0) topicsOf.delete(subscriber);
  };

  return {
    subscribe(name, subscriber) {
      const known = byName.get(name);
      if (known?.subscribers.has(subscriber) === true) return "subscribed";
      const names = topicsOf.get(subscriber) ?? new Set();
      if (names.size >= limits.maxTopicsPerClient) return "too-many";
      if (known === undefined && byName.size >= limits.maxTopics) return "too-many";
      const topic = known ?? { serial: (lastSerial += 1), subscribers: new Set() };
      topic.subscribers.add(subscriber);
      byName.set(name, topic);
      topicsOf.set(subscriber, names.add(name));
      return "subscribed";
    },
    unsubscribe,
    leave(subscriber) {
      for (const name of topicsOf.get(subscriber) ?? []) unsubscribe(name, subscriber);
    },
    publish(name, message) {
      const topic = byName.get(name);
      if (topic === undefined) return 0;
      const bytes = message();
      if (bytes === undefined) return 0;
      const shared: SharedMessage = { bytes, waiting: 0 };
      let sent = 0;
      for (const subscriber of topic.subscribers) if (subscriber.deliver(shared) === "sent") sent += 1;
      return sent;
    },
    list(from, limit) {
      const topics: { topic: string; subscribers: number }[] = [];
      for (const [topic, { serial, subscribers }] of byName) {
        if (serial < from) continue;
        if (topics.length === limit) return { topics, next: serial };
        topics.push({ topic, subscribers: subscribers.size });
      }
      return { topics };
    },
    get size() {
      return byName.size;
    },
  };
}
