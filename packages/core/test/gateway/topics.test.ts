import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/gateway/gateway-limits.ts";
import { createTopics, isTopicName } from "../../src/gateway/topics.ts";
import type { Subscriber } from "../../src/gateway/topics.ts";

function listener(): Subscriber & { readonly got: string[] } {
  const got: string[] = [];
  return { got, deliver: ({ bytes }) => (got.push(bytes.toString()), "sent") };
}

test("every subscriber gets each message once, and the message is serialized once", () => {
  const topics = createTopics(DEFAULT_LIMITS);
  const [a, b, c] = [listener(), listener(), listener()];
  topics.subscribe("x", a);
  topics.subscribe("x", a);
  topics.subscribe("x", b);
  topics.subscribe("y", c);
  let made = 0;
  expect(topics.publish("x", () => Buffer.from(`message ${(made += 1)}`))).toBe(2);
  expect([a.got, b.got, c.got, made]).toEqual([["message 1"], ["message 1"], [], 1]);
});

test("a message without subscribers is not even serialized", () => {
  expect(createTopics(DEFAULT_LIMITS).publish("x", () => expect.fail("made"))).toBe(0);
});

test("a topic ends with its last subscriber", () => {
  const topics = createTopics(DEFAULT_LIMITS);
  const [a, b] = [listener(), listener()];
  for (const topic of ["x", "y"]) for (const subscriber of [a, b]) topics.subscribe(topic, subscriber);
  topics.unsubscribe("x", a);
  topics.unsubscribe("x", a);
  topics.unsubscribe("never", a);
  expect(topics.list(0, 10)).toEqual({
    topics: [
      { topic: "x", subscribers: 1 },
      { topic: "y", subscribers: 2 },
    ],
  });
  topics.leave(b);
  expect(topics.list(0, 10)).toEqual({ topics: [{ topic: "y", subscribers: 1 }] });
  topics.leave(a);
  expect(topics.size).toBe(0);
});

test("a subscriber may leave while a message goes out", () => {
  const topics = createTopics(DEFAULT_LIMITS);
  const after = listener();
  const leaving: Subscriber = { deliver: () => (topics.leave(leaving), "dropped") };
  topics.subscribe("x", leaving);
  topics.subscribe("x", after);
  expect(topics.publish("x", () => Buffer.from("m"))).toBe(1);
  expect(after.got).toEqual(["m"]);
  expect(topics.list(0, 10)).toEqual({ topics: [{ topic: "x", subscribers: 1 }] });
});

test("topics are limited, for one subscriber and in total", () => {
  const topics = createTopics(DEFAULT_LIMITS);
  const greedy = listener();
  for (let index = 0; index < 128; index += 1) expect(topics.subscribe(`t${index}`, greedy)).toBe("subscribed");
  expect(topics.subscribe("t128", greedy)).toBe("too-many");
  expect(topics.subscribe("t0", greedy)).toBe("subscribed");
  for (let index = 128; index < 10_000; index += 1)
    expect(topics.subscribe(`t${index}`, listener())).toBe("subscribed");
  expect(topics.subscribe("one more", listener())).toBe("too-many");
  expect(topics.subscribe("t0", listener())).toBe("subscribed");
  expect(topics.size).toBe(10_000);
});

test("the length of names is limited too", () => {
  expect(["x", "a b", "ä/ö", "🚀", "t".repeat(128), "__proto__"].every(isTopicName)).toBe(true);
  expect(
    ["", "t".repeat(129), "a\nb", "\u0000", "\u009b", "\ud800", "a\udfff", 1, null, undefined, {}].some(isTopicName),
  ).toBe(false);
});

test("a paged list misses and repeats nothing, whatever begins or ends in between", () => {
  const topics = createTopics(DEFAULT_LIMITS);
  const subscriber = listener();
  for (const name of ["a", "b", "c", "d", "e"]) topics.subscribe(name, subscriber);
  const first = topics.list(0, 2);
  expect(first.topics.map(({ topic }) => topic)).toEqual(["a", "b"]);
  for (const gone of ["a", "c"]) topics.unsubscribe(gone, subscriber);
  topics.subscribe("f", subscriber);
  const second = topics.list(first.next ?? Number.NaN, 10);
  expect(second.topics.map(({ topic }) => topic)).toEqual(["d", "e", "f"]);
  expect(second.next).toBeUndefined();
});
