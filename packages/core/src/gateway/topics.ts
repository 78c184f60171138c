/**
 * Who listens to which topic, and the fan-out of one message to all of them. A topic exists as long as it has a
 * subscriber; names and numbers are bounded, so a client cannot make the gateway remember without end. It knows
 * neither sockets nor the protocol around it.
 */

/** Whether a message is on its way, or its receiver is being cut off. */
export type Delivery = "sent" | "dropped";

/** Receives each message of its topics, as bytes shared by all receivers: not to be changed. */
export interface Subscriber {
  deliver(message: Buffer): Delivery;
}

/** The topics of one gateway. */
export interface Topics {
  /** Subscribing twice is the same as once. */
  subscribe(topic: string, subscriber: Subscriber): "subscribed" | "too-many";
  unsubscribe(topic: string, subscriber: Subscriber): void;
  /** Takes the subscriber off every topic. */
  leave(subscriber: Subscriber): void;
  /** Returns how many subscribers the message is on its way to. `message` is called once, or not at all. */
  publish(topic: string, message: () => string): number;
  list(): readonly { readonly topic: string; readonly subscribers: number }[];
  readonly size: number;
}

/** Characters in a topic's name. */
const MAX_NAME_LENGTH = 128;
const MAX_TOPICS = 10_000;
const MAX_TOPICS_PER_SUBSCRIBER = 128;

/** What {@link isTopicName} accepts, for error messages. */
export const TOPIC_NAME_RULE: string = `a name of 1 to ${MAX_NAME_LENGTH} characters without control characters`;

/** May this value name a topic? */
export function isTopicName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_NAME_LENGTH && /^\P{Cc}+$/u.test(value);
}

/** Returns an empty set of topics. */
export function createTopics(): Topics {
  const subscribersOf = new Map<string, Set<Subscriber>>();
  const topicsOf = new Map<Subscriber, Set<string>>();

  const unsubscribe = (topic: string, subscriber: Subscriber): void => {
    const subscribers = subscribersOf.get(topic);
    if (subscribers?.delete(subscriber) === true && subscribers.size === 0) subscribersOf.delete(topic);
    const topics = topicsOf.get(subscriber);
    if (topics?.delete(topic) === true && topics.size === 0) topicsOf.delete(subscriber);
  };

  return {
    subscribe(topic, subscriber) {
      const subscribers = subscribersOf.get(topic) ?? new Set();
      const topics = topicsOf.get(subscriber) ?? new Set();
      if (subscribers.has(subscriber)) return "subscribed";
      if (topics.size >= MAX_TOPICS_PER_SUBSCRIBER) return "too-many";
      if (subscribers.size === 0 && subscribersOf.size >= MAX_TOPICS) return "too-many";
      subscribersOf.set(topic, subscribers.add(subscriber));
      topicsOf.set(subscriber, topics.add(topic));
      return "subscribed";
    },
    unsubscribe,
    leave(subscriber) {
      for (const topic of topicsOf.get(subscriber) ?? []) unsubscribe(topic, subscriber);
    },
    publish(topic, message) {
      const subscribers = subscribersOf.get(topic);
      if (subscribers === undefined) return 0;
      const bytes = Buffer.from(message());
      let sent = 0;
      for (const subscriber of subscribers) if (subscriber.deliver(bytes) === "sent") sent += 1;
      return sent;
    },
    list: () => [...subscribersOf].map(([topic, subscribers]) => ({ topic, subscribers: subscribers.size })),
    get size() {
      return subscribersOf.size;
    },
  };
}
