import * as fc from "fast-check";
import { expect, test } from "vitest";
import { answerMessage, invalidParams } from "../../src/gateway/json-rpc.ts";
import type { RpcMethod } from "../../src/gateway/json-rpc.ts";

const METHODS: ReadonlyMap<string, RpcMethod<string[]>> = new Map<string, RpcMethod<string[]>>([
  ["echo", (params, calls) => (calls.push("echo"), { result: params ?? null })],
  ["picky", () => invalidParams("nothing at all")],
  [
    "endless",
    () => {
      const result: unknown[] = [];
      result.push(result);
      return { result };
    },
  ],
  ["long", () => ({ result: "x".repeat(1_000) })],
  ["wide", () => ({ result: "ä".repeat(500) })],
  [
    "broken",
    () => {
      throw new RangeError("Maximum call stack size exceeded");
    },
  ],
]);

const LIMITS = { maxBatch: 100, maxAnswerBytes: 1_000 };

function answer(message: unknown, calls: string[] = []): unknown {
  const text = answerMessage(typeof message === "string" ? message : JSON.stringify(message), METHODS, calls, LIMITS);
  return text === undefined ? undefined : JSON.parse(text);
}

function ask(method: string): unknown {
  return answer({ jsonrpc: "2.0", id: 7, method });
}

function errorCode(id: unknown, code: number): unknown {
  return { jsonrpc: "2.0", id, error: { code, message: expect.any(String) as unknown } };
}

test.each([1, 0, -3.5, "one", "", null])("a request with the id %j is answered with that id", (id) => {
  expect(answer({ jsonrpc: "2.0", id, method: "echo", params: { a: 1 } })).toEqual({
    jsonrpc: "2.0",
    id,
    result: { a: 1 },
  });
});

test("a notification is carried out and never answered, whatever its outcome", () => {
  const calls: string[] = [];
  expect(answer({ jsonrpc: "2.0", method: "echo" }, calls)).toBeUndefined();
  expect(calls).toEqual(["echo"]);
  expect(answer({ jsonrpc: "2.0", method: "missing" })).toBeUndefined();
  expect(answer({ jsonrpc: "2.0", method: "picky" })).toBeUndefined();
  expect(answer({ jsonrpc: "2.0", method: "broken" })).toBeUndefined();
});

test.each(["", "{", "nope", '{"jsonrpc":"2.0","id":1,}', "[1,2"])("%j is a parse error", (text) => {
  expect(answer(text)).toEqual(errorCode(null, -32_700));
});

test.each([
  ["a number", 1, null],
  ["null", null, null],
  ["no version", { id: 1, method: "echo" }, 1],
  ["another version", { jsonrpc: "1.0", id: 1, method: "echo" }, 1],
  ["no method", { jsonrpc: "2.0", id: 1 }, 1],
  ["a method that is no string", { jsonrpc: "2.0", id: 1, method: 1 }, 1],
  ["params that are no structure", { jsonrpc: "2.0", id: 1, method: "echo", params: "x" }, 1],
  ["params that are null", { jsonrpc: "2.0", id: 1, method: "echo", params: null }, 1],
  ["an id that is an object", { jsonrpc: "2.0", id: {}, method: "echo" }, null],
  ["an id that is a boolean", { jsonrpc: "2.0", id: true, method: "echo" }, null],
  ["an empty batch", [], null],
])("%s is an invalid request", (_, message, id) => {
  expect(answer(message)).toEqual(errorCode(id, -32_600));
});

test("an unknown method, wrong params and a failing method have their own codes", () => {
  expect(ask("missing")).toEqual(errorCode(7, -32_601));
  expect(ask("toString")).toEqual(errorCode(7, -32_601));
  expect(ask("__proto__")).toEqual(errorCode(7, -32_601));
  expect(ask("picky")).toEqual(errorCode(7, -32_602));
  expect(ask("broken")).toEqual(errorCode(7, -32_603));
});

test("a batch is answered in one array, without its notifications", () => {
  const echo = { jsonrpc: "2.0", method: "echo" };
  expect(answer([{ ...echo, id: 1 }, echo, 5, { ...echo, id: 2 }])).toEqual([
    { jsonrpc: "2.0", id: 1, result: null },
    errorCode(null, -32_600),
    { jsonrpc: "2.0", id: 2, result: null },
  ]);
  expect(answer([echo, echo])).toBeUndefined();
});

test("a batch above the limit is refused as a whole; one of exactly that size is carried out", () => {
  const calls: string[] = [];
  const batch = Array.from({ length: 101 }, () => ({ jsonrpc: "2.0", method: "echo" }));
  expect(answer(batch, calls)).toEqual(errorCode(null, -32_600));
  expect(calls).toEqual([]);
  expect(answer(batch.slice(1), calls)).toBeUndefined();
  expect(calls).toHaveLength(100);
});

test("a result that JSON cannot hold becomes an error, and so does an answer that is too long", () => {
  expect(ask("endless")).toEqual(errorCode(7, -32_603));
  expect(ask("long")).toEqual(errorCode(7, -32_001));
  expect(ask("wide")).toEqual(errorCode(7, -32_001));
});

test("a batch stops once its answers are too long together, except for notifications", () => {
  const calls: string[] = [];
  const half = { jsonrpc: "2.0", method: "echo", params: ["x".repeat(400)] };
  const answered = answer(
    [1, 2, 3, 4].map((id) => ({ ...half, id })).concat({ ...half, id: undefined } as never),
    calls,
  );
  expect(answered).toMatchObject([
    { id: 1, result: half.params },
    { id: 2, result: half.params },
    { id: 3 },
    { id: 4 },
  ]);
  expect(answered).toMatchObject([{}, {}, errorCode(3, -32_001), errorCode(4, -32_001)]);
  expect(calls).toEqual(["echo", "echo", "echo", "echo", "echo"]);
  expect(JSON.stringify(answered).length).toBeLessThan(LIMITS.maxAnswerBytes + 300);
});

test("any text at all gets valid JSON or no answer", () => {
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom("2.0", "echo", "picky", "broken"));
  const request = fc.dictionary(fc.constantFrom("jsonrpc", "id", "method", "params", "__proto__"), member);
  const message = fc.oneof(
    fc.string(),
    fc.json(),
    fc.oneof(request, fc.array(request)).map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(message, (text) => {
      const answered = answerMessage(text, METHODS, [], LIMITS);
      if (answered !== undefined) JSON.parse(answered);
    }),
  );
});
