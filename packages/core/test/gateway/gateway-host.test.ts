import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { GatewayHostOptions } from "../../src/gateway/gateway-options.ts";
import {
  BEARER,
  call,
  closeCode,
  exchange,
  freePort,
  openRaw,
  openSocket,
  sendRaw,
  startTestGateway,
  TOKEN,
  until,
  upgradeHead,
  within,
} from "./running-gateway.ts";

test("security 5: the probe paths answer without a token, briefly, and reveal nothing", async () => {
  const gateway = await startTestGateway();
  const host = `Host: 127.0.0.1:${gateway.port}`;
  const health = await sendRaw(gateway, ["GET /healthz?x=1 HTTP/1.1", host]);
  expect([health.status, health.body]).toEqual([200, '{"ok":true,"status":"live"}']);
  const ready = await sendRaw(gateway, ["GET /readyz HTTP/1.1", host]);
  expect([ready.status, ready.body]).toEqual([200, '{"ok":true,"status":"ready"}']);
  expect(Math.max(health.body.length, ready.body.length)).toBeLessThanOrEqual(64);
  for (const path of ["/status", "/metrics"]) {
    expect((await sendRaw(gateway, [`GET ${path} HTTP/1.1`, host])).status).toBe(401);
  }
  expect(health.headers).not.toMatch(/server|powered|lockkeeper|node/i);
  expect((await sendRaw(gateway, ["POST /healthz HTTP/1.1", host, "Content-Length: 0"])).status).toBe(405);
  expect((await sendRaw(gateway, ["HEAD /healthz HTTP/1.1", host, "Connection: close"])).status).toBe(200);
});

test("/status shows everything to a client with the token", async () => {
  const gateway = await startTestGateway();
  const socket = await openSocket(gateway);
  await call(socket, "topic.subscribe", { topic: "x" });
  const { status, body } = await sendRaw(gateway, ["GET /status HTTP/1.1", `Host: localhost:${gateway.port}`, BEARER]);
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({
    ok: true,
    state: "listening",
    url: gateway.url,
    pid: process.pid,
    connections: 1,
    topics: 1,
  });
});

test("two clients talk through a topic", async () => {
  const gateway = await startTestGateway();
  const [a, b] = [await openSocket(gateway), await openSocket(gateway)];
  expect(await call(b, "topic.subscribe", { topic: "builds" })).toEqual({ topic: "builds", subscribed: true });
  const message = within("the message", once(b, "message"));
  expect(await call(a, "topic.publish", { topic: "builds", data: { ok: true } })).toEqual({ delivered: 1 });
  expect(String((await message)[0])).toBe(
    '{"jsonrpc":"2.0","method":"topic.message","params":{"topic":"builds","data":{"ok":true}}}',
  );
  expect(await call(a, "topic.list")).toEqual({ topics: [{ topic: "builds", subscribers: 1 }] });
  b.close();
  await closeCode(b);
  await until("the topic to end with its subscriber", () => b.readyState === b.CLOSED);
  expect(await call(a, "topic.publish", { topic: "builds", data: null })).toEqual({ delivered: 0 });
});

test("the other methods, and wrong parameters", async () => {
  const gateway = await startTestGateway();
  const socket = await openSocket(gateway);
  expect(await call(socket, "gateway.ping", {})).toEqual({ pong: true });
  expect(await call(socket, "gateway.info")).toMatchObject({ url: gateway.url, protocol: "lockkeeper.v1" });
  expect(await call(socket, "topic.unsubscribe", { topic: "never" })).toEqual({ topic: "never", subscribed: false });
  for (const [method, params] of [
    ["topic.subscribe", undefined],
    ["topic.subscribe", ["x"]],
    ["topic.subscribe", { topic: "" }],
    ["topic.subscribe", { topic: "x".repeat(129) }],
    ["topic.unsubscribe", { topic: 5 }],
    ["topic.publish", { topic: "x" }],
    ["topic.publish", { data: 1 }],
  ] as const) {
    await expect(call(socket, method, params)).rejects.toThrow("-32602");
  }
  expect(await exchange(socket, "{nope")).toMatchObject({ id: null, error: { code: -32_700 } });
});

test("security 4: nesting deeper than the stack gets an answer and does no harm", async () => {
  const gateway = await startTestGateway();
  const [subscriber, socket] = [await openSocket(gateway), await openSocket(gateway)];
  await call(subscriber, "topic.subscribe", { topic: "deep" });
  const data = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  const text = `{"jsonrpc":"2.0","id":1,"method":"topic.publish","params":{"topic":"deep","data":${data}}}`;
  // Newer engines serialize whatever they can parse, however deep; older ones run out of stack.
  expect(JSON.stringify(await exchange(socket, text))).toMatch(
    /"id":1,(?:"result":{"delivered":1}|"error":{"code":-32603,)/,
  );
  expect(await call(socket, "gateway.ping")).toEqual({ pong: true });
});

test("security 4: each misuse of a WebSocket has its close code", async () => {
  const gateway = await startTestGateway();
  const tooBig = await openSocket(gateway);
  tooBig.send("x".repeat(1_048_577));
  expect(await closeCode(tooBig)).toBe(1009);
  const binary = await openSocket(gateway);
  binary.send(Buffer.from("{}"));
  expect(await closeCode(binary)).toBe(1003);
  const fits = await openSocket(gateway);
  expect(await exchange(fits, " ".repeat(1_048_576))).toMatchObject({ error: { code: -32_700 } });
});

test("security 4: the gateway compresses nothing", async () => {
  const gateway = await startTestGateway();
  const offer = "Sec-WebSocket-Extensions: permessage-deflate";
  const { status, headers } = await sendRaw(gateway, upgradeHead(gateway, BEARER, offer));
  expect([status, /extensions/i.test(headers)]).toEqual([101, false]);
});

test("an upgrade to anything but a WebSocket at / is refused", async () => {
  const gateway = await startTestGateway();
  const swap = (from: string, to: string): string[] =>
    upgradeHead(gateway, BEARER).map((line) => line.replace(from, to));
  expect((await sendRaw(gateway, swap("GET / ", "GET /other "))).status).toBe(404);
  expect((await sendRaw(gateway, swap("Upgrade: websocket", "Upgrade: h2c"))).status).toBe(400);
  expect((await sendRaw(gateway, swap("Version: 13", "Version: 1"))).status).toBe(400);
  expect((await sendRaw(gateway, swap("dGhlIHNhbXBsZSBub25jZQ==", "short"))).status).toBe(400);
});

test("security 4: a slow reader is cut off; other clients are not affected", async () => {
  const gateway = await startTestGateway({ maxBacklogBytes: 1_048_576 });
  const [slow, good, publisher] = [await openSocket(gateway), await openSocket(gateway), await openSocket(gateway)];
  for (const socket of [slow, good]) await call(socket, "topic.subscribe", { topic: "flood" });
  let received = 0;
  good.on("message", () => (received += 1));
  slow.pause();
  const data = "x".repeat(500_000);
  let published = 0;
  let reached: unknown;
  while (published < 200) {
    published += 1;
    reached = await call(publisher, "topic.publish", { topic: "flood", data });
    if ((reached as { delivered: number }).delivered === 1) break;
  }
  expect(reached).toEqual({ delivered: 1 });
  await until("the good reader to have all", () => received === published);
  slow.resume();
  expect([1006, 1008]).toContain(await closeCode(slow));
});

test("security 4: a dead peer is dropped; a quiet one is kept", async () => {
  const gateway = await startTestGateway({ heartbeatMs: 50 });
  const quiet = await openSocket(gateway);
  const dead = await openSocket(gateway, { autoPong: false });
  expect(await closeCode(dead)).toBe(1006);
  expect(await call(quiet, "gateway.ping")).toEqual({ pong: true });
});

test("closing sends 1001, frees the port, and may be called many times", async () => {
  const gateway = await startTestGateway();
  const sockets = [await openSocket(gateway), await openSocket(gateway)];
  const idle = await openRaw(gateway);
  const codes = Promise.all(sockets.map(closeCode));
  const closing = gateway.close();
  expect(gateway.state).toBe("closing");
  expect(gateway.close()).toBe(closing);
  await within("the gateway to close", Promise.all([closing, gateway[Symbol.asyncDispose](), gateway.closed]));
  expect(await codes).toEqual([1001, 1001]);
  expect(gateway.state).toBe("closed");
  await until("the idle connection to end", () => idle.destroyed);
  await startTestGateway({ port: gateway.port });
});

test("while it closes, a busy connection gets 503, and an answer that has begun is complete", async () => {
  let finish: (() => void) | undefined;
  const big = "x".repeat(8_000_000);
  const gateway = await startTestGateway({
    closeTimeoutMs: 60_000,
    onRequest: (_request, response) => void (finish = () => response.end(big)),
  });
  const host = `Host: 127.0.0.1:${gateway.port}`;
  const busy = await openRaw(gateway);
  let text = "";
  busy.on("data", (chunk) => (text += chunk.toString("latin1")));
  // Two requests on one connection: the second is answered after the first, when the gateway is already closing.
  busy.write(`GET /slow HTTP/1.1\r\n${host}\r\n${BEARER}\r\n\r\n`);
  await until("the handler to be called", () => finish !== undefined);
  const closing = gateway.close();
  busy.write(`GET /healthz HTTP/1.1\r\n${host}\r\n\r\n`);
  const ended = within("the connection to end", once(busy, "close"));
  setTimeout(() => finish?.(), 50);
  await Promise.all([closing, ended]);
  expect(text.indexOf("HTTP/1.1 503")).toBeGreaterThan(big.length);
  expect(text).toContain('{"ok":false,"status":"closing"}');
});

test("a client that does not close is cut off at the deadline", async () => {
  const gateway = await startTestGateway({ closeTimeoutMs: 100, onRequest: () => undefined });
  const deaf = await openRaw(gateway);
  deaf.write(`${upgradeHead(gateway, BEARER).join("\r\n")}\r\n\r\n`);
  await within("the upgrade", once(deaf, "data"));
  const waiting = request({
    host: gateway.host,
    port: gateway.port,
    path: "/never",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  waiting.on("error", () => undefined);
  waiting.end();
  const [socket] = (await once(waiting, "socket")) as [ReturnType<typeof connect>];
  await until("the request to be sent", () => socket.bytesWritten > 0);
  await within("the gateway to close", gateway.close());
  expect(gateway.state).toBe("closed");
});

test("an author's handlers run after the guard", async () => {
  const seen: string[] = [];
  const gateway = await startTestGateway({
    onRequest: (req, response) => void response.end(`mine: ${req.url}`),
    onConnection: (socket, req) => {
      seen.push(req.url ?? "");
      socket.on("message", (data) => socket.send(`heard ${String(data)}`));
    },
  });
  const host = `Host: 127.0.0.1:${gateway.port}`;
  const mine = await sendRaw(gateway, ["GET /mine?a=1 HTTP/1.1", host, BEARER, "Connection: close"]);
  expect([mine.status, mine.body.includes("mine: /mine?a=1")]).toEqual([200, true]);
  const socket = await openSocket(gateway, { path: "/chat" });
  const answer = within("an answer", once(socket, "message"));
  socket.send("hello");
  expect(String((await answer)[0])).toBe("heard hello");
  expect(seen).toEqual(["/chat"]);
  expect((await sendRaw(gateway, ["GET /healthz HTTP/1.1", host])).body).toBe('{"ok":true,"status":"live"}');
});

test("a handler that fails costs its client the answer, and affects no other client", async () => {
  const warnings: string[] = [];
  const gateway = await startTestGateway({
    onWarning: (message) => void warnings.push(message),
    onRequest: async (req) => {
      await Promise.resolve();
      throw new Error(`no ${req.url}`);
    },
    onConnection: () => {
      throw new Error("no sockets");
    },
  });
  const host = `Host: 127.0.0.1:${gateway.port}`;
  expect((await sendRaw(gateway, ["GET /x HTTP/1.1", host, BEARER])).status).toBe(500);
  const socket = await openSocket(gateway);
  expect(socket.readyState === socket.CLOSED ? 1011 : await closeCode(socket)).toBe(1011);
  expect(warnings).toEqual([
    expect.stringMatching(/onRequest failed for GET \/x: Error: no \/x$/),
    expect.stringMatching(/onConnection failed: Error: no sockets$/),
  ]);
});

test("a request gets 100 Continue only after the guard", async () => {
  const gateway = await startTestGateway({
    onRequest: (req, response) => void req.resume().on("end", () => response.end("got it")),
  });
  const head = ["POST /x HTTP/1.1", `Host: 127.0.0.1:${gateway.port}`, "Expect: 100-continue", "Content-Length: 2"];
  expect((await sendRaw(gateway, head)).status).toBe(401);
  const socket = await openRaw(gateway);
  socket.write(`${[...head, BEARER].join("\r\n")}\r\n\r\n`);
  expect(String((await within("the invitation", once(socket, "data")))[0])).toMatch(/^HTTP\/1\.1 100 /);
  socket.write("ok");
  expect(String((await within("the answer", once(socket, "data")))[0])).toMatch(/^HTTP\/1\.1 200 /);
});

test("without handlers other paths get 404", async () => {
  const gateway = await startTestGateway();
  const host = `Host: 127.0.0.1:${gateway.port}`;
  expect((await sendRaw(gateway, ["GET / HTTP/1.1", host, BEARER])).status).toBe(404);
});

test("security 6: a wildcard is bound only on request, and with a warning", async () => {
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  await startTestGateway({ onWarning });
  expect(warnings).toEqual([]);
  const wide = await startTestGateway({ host: "0.0.0.0", onWarning });
  expect(warnings).toEqual([expect.stringContaining(`ws://0.0.0.0:${wide.port}: bound to every address`)]);
  // The system also reads these as 0.0.0.0.
  for (const host of ["0x0", "0.0", "0"]) {
    await startTestGateway({ host, onWarning });
    expect(warnings.at(-1)).toContain(`ws://${host}:`);
  }
  expect(warnings).toHaveLength(4);
});

test("security 6: the default is 127.0.0.1 and nothing else", async () => {
  const gateway = await startTestGateway();
  expect([gateway.host, gateway.url]).toEqual(["127.0.0.1", `ws://127.0.0.1:${gateway.port}`]);
  const other = connect({ host: "::1", port: gateway.port });
  expect((await once(other, "error"))[0]).toMatchObject({
    code: expect.stringMatching(/ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT/) as unknown,
  });
});

test.each<[Partial<Record<keyof GatewayHostOptions, unknown>>]>([
  [{ port: 0 }],
  [{ port: 70_000 }],
  [{ port: 1.5 }],
  [{ port: "18789" }],
  [{ host: "" }],
  [{ host: "[::1]" }],
  [{ host: "127.0.0.1:80" }],
  [{ host: 5 }],
  [{ allowedHosts: "gw.example" }],
  [{ allowedHosts: ["*"] }],
  [{ allowedHosts: ["gw.example."] }],
  [{ allowedOrigins: ["*"] }],
  [{ allowedOrigins: ["null"] }],
  [{ allowedOrigins: ["https://app.example/"] }],
  [{ allowedOrigins: ["app.example"] }],
  [{ onRequest: "x" }],
  [{ onConnection: {} }],
  [{ heartbeatMs: 0 }],
  [{ closeTimeoutMs: Number.POSITIVE_INFINITY }],
  [{ maxBacklogBytes: -1 }],
])("%j is a TypeError that says what was expected, before anything is bound", async (wrong) => {
  const options = { port: await freePort(), ...wrong } as Partial<GatewayHostOptions>;
  const [name = ""] = Object.keys(wrong);
  await expect(startTestGateway(options)).rejects.toThrow(
    expect.objectContaining({
      name: "TypeError",
      message: expect.stringContaining(`expected ${name} to be `) as unknown,
    }),
  );
});
