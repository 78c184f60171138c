import { once } from "node:events";
import { createServer, ServerResponse } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { Gateway } from "../../src/gateway/gateway-host.ts";
import {
  BEARER,
  openRaw,
  openSocket,
  sendRaw,
  startTestGateway,
  until,
  upgradeHead,
  within,
} from "./running-gateway.ts";

function healthz(gateway: Gateway): string {
  return `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`;
}

describe("security 4: connections", () => {
  test("idle kept-alive connections are limited, the oldest is closed first, and a new one is answered", async () => {
    const gateway = await startTestGateway({ maxRequestConnections: 8, keepAliveMs: 60_000 });
    const kept: Socket[] = [];
    for (let index = 0; index < 40; index += 1) {
      const socket = await openRaw(gateway);
      socket.write(healthz(gateway));
      expect(String((await within("an answer", once(socket, "data")))[0])).toContain('"ok":true');
      kept.push(socket.resume());
    }
    await until("all but the bound to be gone", () => kept.filter((socket) => !socket.destroyed).length <= 8);
    expect(kept.slice(0, 32).every((socket) => socket.destroyed)).toBe(true);
    expect(kept.at(-1)?.destroyed).toBe(false);
  });

  test("a request with the token that is in progress is never dropped, and leaves room for a health check", async () => {
    const held: (() => void)[] = [];
    const gateway = await startTestGateway({
      maxRequestConnections: 8,
      onRequest: (_request, response) => void held.push(() => response.end("done")),
    });
    const head = ["GET /slow HTTP/1.1", `Host: 127.0.0.1:${gateway.port}`, BEARER, "Connection: close"];
    const slow = Array.from({ length: 6 }, () => sendRaw(gateway, head));
    await until("six to be in progress", () => held.length === 6);
    expect((await sendRaw(gateway, head)).status).toBe(503);
    for (let index = 0; index < 20; index += 1) (await openRaw(gateway)).write(healthz(gateway));
    expect((await sendRaw(gateway, healthz(gateway).trimEnd().split("\r\n"))).status).toBe(200);
    for (const finish of held) finish();
    expect((await Promise.all(slow)).map(({ body }) => body.includes("done"))).toEqual(slow.map(() => true));
    expect((await sendRaw(gateway, ["GET /status HTTP/1.1", ...head.slice(1)])).status).toBe(200);
  });

  test("a connection that pipelines without end is cut off; one that pipelines a little is served", async () => {
    const gateway = await startTestGateway();
    for (const [times, answers] of [
      [100, 100],
      [5_000, undefined],
    ] as const) {
      const socket = await openRaw(gateway);
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk)));
      const closed = new Promise((resolve) => void socket.once("close", resolve));
      socket.write(healthz(gateway).repeat(times));
      if (answers === undefined) await within("the connection to end", closed);
      else await until("all answers", () => text.split('"ok":true').length - 1 === answers);
    }
    expect((await sendRaw(gateway, healthz(gateway).trimEnd().split("\r\n"))).status).toBe(200);
  });

  test("nothing more is read from a chunk full of requests once its connection is cut off", async () => {
    let made = 0;
    class Counted extends ServerResponse {
      constructor(request: IncomingMessage) {
        super(request);
        made += 1;
      }
    }
    const gateway = await startTestGateway({ server: createServer({ ServerResponse: Counted }), maxPipelined: 20 });
    const socket = await openRaw(gateway);
    const closed = new Promise((resolve) => void socket.once("close", resolve));
    socket.resume().write(healthz(gateway).repeat(1_000));
    await within("the connection to end", closed);
    expect(made).toBe(21);
  });

  test("WebSockets above the limit get 503, and each one that ends makes room", async () => {
    const gateway = await startTestGateway({ maxWebSockets: 2 });
    const [first] = [await openSocket(gateway), await openSocket(gateway)];
    expect((await sendRaw(gateway, upgradeHead(gateway, BEARER))).status).toBe(503);
    first.close();
    await within("it to close", once(first, "close"));
    await openSocket(gateway);
  });

  test("an upgrade that fails later takes no place", async () => {
    const gateway = await startTestGateway({ maxWebSockets: 1 });
    const wrong = upgradeHead(gateway, BEARER).map((line) => line.replace("Version: 13", "Version: 1"));
    for (let attempt = 0; attempt < 3; attempt += 1) expect((await sendRaw(gateway, wrong)).status).toBe(400);
    await openSocket(gateway);
  });
});
