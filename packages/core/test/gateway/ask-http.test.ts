import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { askHttp, readAnswer } from "../../src/gateway/ask-http.ts";

const QUESTION = { method: "GET", wantsBody: (status: number) => status === 200, maxBodyBytes: 20 } as const;

test.each([
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", { status: 200, body: "hi" }],
  ["a length, and more than that", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi there", { status: 200, body: "hi" }],
  ["no length", "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhi", { status: 200, body: "hi" }],
  [
    "chunks",
    "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n",
    { status: 200, body: "hi" },
  ],
  ["a long length", "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", { status: 200, isTooLong: true }],
  ["a long text", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(21)}`, { status: 200, isTooLong: true }],
  ["long chunks", "HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n", { status: 200, isTooLong: true }],
  ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", { status: 200, body: "hi" }],
  ["a status that wants no body", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", { status: 404 }],
  ["one that has none", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204 }],
  ["early hints before it", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\n\r\n", { status: 404 }],
  ["a change of the protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", { status: 101 }],
  ["bytes beyond ASCII", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u00c3\u00a4", { status: 200, body: "ä" }],
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "not-http"],
  ["the beginning of another", "HTT!", "not-http"],
  ["a status that is none", "HTTP/1.1 OK\r\n\r\n", "not-http"],
  ["a chunk without a size", "HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n", "not-http"],
  ["a head without an end", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(4_000)}`, "not-http"],
])("reads an answer with %s", (_, text, expected) => {
  expect(readAnswer(text, QUESTION, true)).toEqual(expected);
});

test("waits for the rest, wherever the answer is cut, and then returns the same", () => {
  const whole =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const lastNeeded = whole.length - "\r\n".length;
  for (let at = 0; at < lastNeeded; at += 1) expect(readAnswer(whole.slice(0, at), QUESTION, false)).toBeUndefined();
  expect(readAnswer(whole, QUESTION, false)).toEqual({ status: 200, body: "abc" });
});

test("returns or waits, whatever bytes it gets", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "HTTP/1.1 ",
      "200",
      " OK",
      "\r\n",
      "\n",
      "Content-Length: ",
      "transfer-encoding: chunked",
      "0",
      "ff",
    ),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isOver) => {
      const found = readAnswer(pieces.join(""), QUESTION, isOver);
      expect(["undefined", "string", "object"]).toContain(typeof found);
    }),
  );
});

test("refuses a path that holds more than a path", async () => {
  const question = { ...QUESTION, host: "127.0.0.1", port: 1, scheme: "http" } as const;
  for (const path of ["", "/a b", "/a\r\nX: y", "/\u0416"]) {
    await expect(askHttp({ ...question, path })).rejects.toThrow(TypeError);
  }
});

test("a server that never stops sending is cut off", async () => {
  const server = createServer((socket) => {
    const flood = (): void => {
      while (socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1_000)}`)) continue;
    };
    socket.on("drain", flood).on("error", () => undefined);
    flood();
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asked = await askHttp({ ...QUESTION, host: "127.0.0.1", port, scheme: "http", path: "/" });
  expect(await asked.outcome).toBe("not-http");
});

test("an answered connection is closed, however many there are, though the server leaves it open", async () => {
  const count = 70;
  const closed: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    closed.push(new Promise((resolve) => socket.on("close", resolve)));
    socket.on("error", () => undefined).once("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const question = { ...QUESTION, host: "127.0.0.1", port, scheme: "http", path: "/" } as const;
  const outcomes = Array.from({ length: count }, async () => (await askHttp(question)).outcome);
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toMatchObject({ status: 204 });
  expect(await Promise.all(closed)).toHaveLength(count);
});
