import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  BEARER,
  call,
  openRaw,
  openSocket,
  sendRaw,
  startTestGateway,
  upgradeHead,
  within,
} from "./running-gateway.ts";

function ownServer(): Server {
  const server = createServer((request, response) => response.end(`mine: ${request.url}`));
  onTestFinished(() => void server.close());
  return server;
}

describe("an author's own server", () => {
  test("has guard, limits and probe paths in front of every listener, including those added later", async () => {
    const server = ownServer();
    const gateway = await startTestGateway({ server });
    const late: string[] = [];
    server.on("request", (request) => late.push(request.url ?? ""));
    const host = `Host: 127.0.0.1:${gateway.port}`;
    expect((await sendRaw(gateway, ["GET /x HTTP/1.1", host])).status).toBe(401);
    expect((await sendRaw(gateway, ["GET /x HTTP/1.1", "Host: evil.example", BEARER])).status).toBe(403);
    expect((await sendRaw(gateway, ["GET /x HTTP/1.1", host, BEARER, "Expect: something"])).status).toBe(200);
    expect(late).toEqual(["/x"]);
    const { status, body } = await sendRaw(gateway, ["GET /y HTTP/1.1", host, BEARER, "Connection: close"]);
    expect([status, body.includes("mine: /y")]).toEqual([200, true]);
    expect((await sendRaw(gateway, ["GET /healthz HTTP/1.1", host])).body).toBe('{"ok":true,"status":"live"}');
    expect(late).toEqual(["/x", "/y"]);
    expect(await call(await openSocket(gateway), "gateway.ping")).toEqual({ pong: true });
  });

  test("sends 100 Continue only after the guard", async () => {
    const server = createServer((request, response) => void request.resume().on("end", () => response.end("got it")));
    const gateway = await startTestGateway({ server });
    const head = ["POST /x HTTP/1.1", `Host: 127.0.0.1:${gateway.port}`, "Expect: 100-continue", "Content-Length: 2"];
    expect((await sendRaw(gateway, head)).status).toBe(401);
    const socket = await openRaw(gateway);
    socket.write(`${[...head, BEARER].join("\r\n")}\r\n\r\n`);
    expect(String((await within("the invitation", once(socket, "data")))[0])).toMatch(/^HTTP\/1\.1 100 /);
  });

  test("keeps its own upgrades, behind the guard", async () => {
    const server = ownServer();
    server.on("upgrade", (request, stream) => stream.end(`HTTP/1.1 101 Switching\r\n\r\nfor ${request.url}`));
    const gateway = await startTestGateway({ server });
    expect((await sendRaw(gateway, upgradeHead(gateway))).status).toBe(401);
    expect((await sendRaw(gateway, upgradeHead(gateway, BEARER))).status).toBe(101);
  });

  test("an error in one of its listeners costs that one request", async () => {
    const warnings: string[] = [];
    const server = createServer(() => {
      throw new Error("not today");
    });
    const gateway = await startTestGateway({ server, onWarning: (message) => void warnings.push(message) });
    const head = ["GET /x HTTP/1.1", `Host: 127.0.0.1:${gateway.port}`, BEARER];
    expect((await sendRaw(gateway, head)).status).toBe(500);
    expect(warnings).toEqual([expect.stringContaining("not today")]);
  });

  test("closes with the gateway, and the gateway closes with it", async () => {
    const server = ownServer();
    const gateway = await startTestGateway({ server });
    await gateway.close();
    expect(server.listening).toBe(false);
    const other = ownServer();
    const attached = await startTestGateway({ server: other });
    other.close();
    await within("the gateway to be closed", attached.closed);
    expect(attached.state).toBe("closed");
    await attached.close();
  });

  test.each([
    [
      "one that listens already",
      async () => {
        const server = ownServer().listen(0, "127.0.0.1");
        await once(server, "listening");
        return { server };
      },
      "listens already",
    ],
    ["no server at all", async () => ({ server: {} as Server }), "node:http Server"],
    ["a server and a handler", async () => ({ server: ownServer(), onRequest: () => undefined }), "onRequest"],
  ])("%s is a TypeError", async (_, options, message) => {
    await expect(startTestGateway(await options())).rejects.toThrow(
      expect.objectContaining({ name: "TypeError", message: expect.stringContaining(message) as unknown }),
    );
  });
});
