import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";

import { isPlainlySilent, probeListener } from "../../src/host/probe-port.ts";
import { freePort } from "../../../../test/harness/ports.ts";

async function listen(host: string, port: number): Promise<{ port: number; close: () => Promise<unknown> }> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => once(server.close(), "close") };
}

describe("probeListener", () => {
  test("sees a listener where a bind would meet it, and none afterwards", async () => {
    const { port, close } = await listen("127.0.0.1", await freePort());
    for (const host of ["127.0.0.1", "0.0.0.0", "localhost", "::"])
      expect(await probeListener(host, port)).toBe("listening");
    expect(await probeListener("::1", port)).toBe("silent");
    await close();
    expect(await probeListener("127.0.0.1", port)).toBe("silent");
  });

  test("never keeps another process from binding the port that it asks about", async () => {
    const first = await listen("127.0.0.1", await freePort());
    const { port } = first;
    await first.close();
    for (let round = 0; round < 50; round += 1) {
      const asked = Array.from({ length: 10 }, () => probeListener("127.0.0.1", port));
      const bound = await listen("127.0.0.1", port);
      expect(bound.port).toBe(port);
      await Promise.all(asked);
      await bound.close();
    }
  });
});

describe("isPlainlySilent", () => {
  test("is said of a loopback address without a listener, and never where only the socket table could tell", async () => {
    const { port, close } = await listen("127.0.0.1", await freePort());
    expect(await isPlainlySilent("127.0.0.1", port)).toBe(false);
    expect(await isPlainlySilent("localhost", port)).toBe(false);
    await close();
    expect(await isPlainlySilent("127.0.0.1", port)).toBe(true);
    // A listener on an interface of its own would be in the way of these, and no connect to loopback meets it.
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
      expect(await isPlainlySilent(host, port)).toBe(false);
  });
});
