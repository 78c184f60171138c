import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { probeHealth } from "../../src/gateway/health.ts";
import { openRaw, startTestGateway, until } from "./running-gateway.ts";

const HALF_OPEN = 500;

test("security 4: half-open connections delay no request and are soon closed", async () => {
  const gateway = await startTestGateway();
  const sockets: Socket[] = [];
  for (let index = 0; index < HALF_OPEN; index += 1) {
    const socket = await openRaw(gateway);
    // One third sends nothing, one third stops within the head, and one third stops within the head of an upgrade.
    if (index % 3 === 1) socket.write("GET /healthz HTTP/1.1\r\nHost: ");
    if (index % 3 === 2) socket.write("GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-");
    sockets.push(socket.resume());
  }
  const latenciesMs: number[] = [];
  for (let index = 0; index < 100; index += 1) {
    const askedAt = performance.now();
    expect((await probeHealth(gateway)).health).toBe("ok");
    latenciesMs.push(performance.now() - askedAt);
  }
  latenciesMs.sort((a, b) => a - b);
  process.stdout.write(`/healthz beside ${HALF_OPEN} half-open connections: p99 ${latenciesMs[98]?.toFixed(1)} ms\n`);

  await until("all but 128 to be gone", () => sockets.filter((socket) => !socket.destroyed).length <= 128);
  // Node's own header timeout ends the rest after 10 s.
  await until("all to be gone", () => sockets.every((socket) => socket.destroyed));
});
