import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { probeHealth } from "../../src/gateway/health.ts";
import type { HealthReport } from "../../src/gateway/health.ts";
import { freePort, startTestGateway } from "./running-gateway.ts";

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function probe(
  answer: RequestListener,
  expected: "ok-body" | "2xx" = "ok-body",
  timeoutMs = 60_000,
): Promise<HealthReport> {
  const port = await listening(createHttpServer(answer));
  return probeHealth({ host: "127.0.0.1", port, expect: expected, timeoutMs });
}

function dripForEver(...[, response]: Parameters<RequestListener>): void {
  const drip = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(drip));
}

test("one of our gateways is healthy", async () => {
  const { host, port } = await startTestGateway();
  expect(await probeHealth({ host, port })).toMatchObject({ health: "ok", detail: 'HTTP 200 {"ok":true}' });
});

test.each([
  ["a 404", 404, '{"ok":true}'],
  ["a 401", 401, '{"ok":true}'],
  ["another success", 204, ""],
  ["a redirect", 302, ""],
  ["an HTML page", 200, "<html>{}</html>"],
  ["ok in other words", 200, '{"ok":"true"}'],
  ["ok is false", 200, '{"ok":false}'],
  ["an array", 200, "[true]"],
  ["null", 200, "null"],
  ["an endless page", 200, `{"ok":true}${" ".repeat(100_000)}`],
])("%s is not healthy", async (_, status, body) => {
  const { health } = await probe((_request, response) => response.writeHead(status).end(body));
  expect(health).toBe("failing");
});

test("with 2xx any success is enough, and nothing else is", async () => {
  expect((await probe((_, response) => response.writeHead(204).end(), "2xx")).health).toBe("ok");
  expect((await probe((_, response) => response.writeHead(302).end(), "2xx")).health).toBe("failing");
});

test("with any answer to HEAD a refusal is enough, and silence is not", async () => {
  const methods: (string | undefined)[] = [];
  const port = await listening(
    createHttpServer((request, response) => {
      methods.push(request.method);
      response.writeHead(request.url === "/" ? 503 : 200).end();
    }),
  );
  const asked = { host: "127.0.0.1", port, path: "/", expect: "any" } as const;
  expect(await probeHealth(asked)).toMatchObject({ health: "ok", detail: "HTTP 503" });
  expect(methods).toEqual(["HEAD"]);
  const silent = await listening(createServer(() => undefined));
  expect((await probeHealth({ ...asked, port: silent, timeoutMs: 100 })).health).toBe("failing");
});

test("https is accepted whoever signed the certificate; http is not https", async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [path.join(folder, "key"), path.join(folder, "cert")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=nobody"];
  const made = spawnSync("openssl", [...request, "-keyout", key, "-out", cert]);
  context.skip(made.status !== 0, "there is no openssl to make a certificate with");
  const tls = { key: readFileSync(key), cert: readFileSync(cert) };
  const port = await listening(createHttpsServer(tls, (_, response) => response.end('{"ok":true}')));
  const asked = { host: "127.0.0.1", port, scheme: "https" } as const;
  expect(await probeHealth(asked)).toMatchObject({ health: "ok", detail: 'HTTP 200 {"ok":true}' });
  expect((await probeHealth({ ...asked, expect: "any", path: "/" })).health).toBe("ok");
  expect((await probeHealth({ ...asked, scheme: "http" })).health).toBe("failing");
  const plain = await listening(createHttpServer((_, response) => response.end()));
  expect((await probeHealth({ ...asked, port: plain })).health).toBe("failing");
});

test("silence counts as failing at the deadline, not later", async () => {
  const port = await listening(createServer(() => undefined));
  const report = await probeHealth({ host: "127.0.0.1", port, timeoutMs: 100 });
  expect(report).toMatchObject({ health: "failing", detail: "no answer within 100 ms" });
});

test("a slow drip of bytes does not extend the deadline", async () => {
  const report = await probe(dripForEver, "ok-body", 1_000);
  expect(report.health).toBe("failing");
});

test("a peer that does not speak HTTP, or does not exist, is failing", async () => {
  const port = await listening(createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")));
  expect((await probeHealth({ host: "127.0.0.1", port })).health).toBe("failing");
  const nobody = await probeHealth({ host: "127.0.0.1", port: await freePort() });
  expect(nobody).toMatchObject({ health: "failing", detail: "nothing listens there (ECONNREFUSED)" });
});

test("an aborted check leaves the answer unknown", async () => {
  const { host, port } = await startTestGateway();
  expect((await probeHealth({ host, port, signal: AbortSignal.abort() })).health).toBe("unknown");
});
