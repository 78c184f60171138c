import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";

import { probeListener } from "../../src/host/probe-port.ts";

async function listen(host: string, port: number): Promise<{ port: number; close: () => Promise<unknown> }> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => once(server.close(), "close") };
}

describe("probeListener", () => {
  test("sees a listener where a bind would meet it, and none afterwards", async () => {
    const { port, close } = await listen("127.0.0.1", 0);
    for (const host of ["127.0.0.1", "0.0.0.0", "localhost", "::"])
      expect(await probeListener(host, port)).toBe("listening");
    expect(await probeListener("::1", port)).toBe("silent");
    await close();
    expect(await probeListener("127.0.0.1", port)).toBe("silent");
  });

  test("never keeps another process from binding the port that it asks about", async () => {
    const first = await listen("127.0.0.1", 0);
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
