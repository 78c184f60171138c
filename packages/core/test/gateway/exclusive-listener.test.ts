import { createServer } from "node:net";
import type { Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { GatewayLockError, LockkeeperError } from "../../src/errors.ts";
import { listenExclusively } from "../../src/gateway/exclusive-listener.ts";
import { freePort } from "./running-gateway.ts";
import { NO_IPV6 } from "../../../../test/harness/ports.ts";

function server(): Server {
  const made = createServer();
  onTestFinished(() => void made.close());
  return made;
}

async function failure(host: string, port: number, signal?: AbortSignal): Promise<LockkeeperError> {
  const refused = server();
  const error: unknown = await listenExclusively(refused, { host, port, signal }).catch((cause: unknown) => cause);
  expect(refused.listening).toBe(false);
  if (!(error instanceof LockkeeperError)) throw new Error(`expected a LockkeeperError, got ${String(error)}`);
  return error;
}

if (NO_IPV6 !== undefined) process.stdout.write(`skipped: a host of IPv6: ${NO_IPV6}\n`);

test("it listens on the one address asked for", async () => {
  const [port, bound] = [await freePort(), server()];
  await listenExclusively(bound, { host: "127.0.0.1", port });
  expect(bound.address()).toEqual({ address: "127.0.0.1", family: "IPv4", port });
});

test.each(["127.0.0.1", "0.0.0.0", "localhost"])("a port taken on 127.0.0.1 is taken for %s", async (host) => {
  const [port, holder] = [await freePort(), server()];
  await listenExclusively(holder, { host: host === "localhost" ? host : "127.0.0.1", port });
  const error = await failure(host, port);
  expect(error).toBeInstanceOf(GatewayLockError);
  expect(error.code).toBe("PORT_IN_USE");
  expect(error.message).toBe(`another gateway instance is already listening on ws://${host}:${port}`);
});

test.skipIf(NO_IPV6 !== undefined)("an IPv6 host is in brackets", async () => {
  const [port, holder] = [await freePort("::1"), server()];
  await listenExclusively(holder, { host: "::1", port });
  const error = await failure("::1", port);
  expect(error.message).toBe(`another gateway instance is already listening on ws://[::1]:${port}`);
});

test("an address that this machine does not have cannot be bound", async () => {
  const error = await failure("192.0.2.1", 18_999);
  expect(error).toBeInstanceOf(GatewayLockError);
  expect(error.code).toBe("BIND_FAILED");
  expect(error.message).toMatch(/^failed to bind gateway socket on ws:\/\/192\.0\.2\.1:18999: .*EADDRNOTAVAIL/);
});

test("an aborted signal takes precedence over the bind", async () => {
  const error = await failure("127.0.0.1", await freePort(), AbortSignal.abort());
  expect(error.code).toBe("ABORTED");
});
