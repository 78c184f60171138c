/** The ports of a home beside what the host does, with listeners of this very process. */
import { once } from "node:events";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { portsReport } from "../../src/ports/port-audit.ts";
import type { Manifest } from "../../src/manifest.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { changeSettings } from "../../src/settings/settings.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

let home: string;
/** The first of the fifty ports of the home's pool, which nobody has. */
let port: number;

beforeEach(async () => {
  home = scratchHome();
  // Far from where others take the lowest free block.
  do {
    port = 25_000 + 50 * randomInt(140);
    await changeSettings(home, () => ({ poolFirst: port, poolLast: port + 49 }));
  } while ((await portsReport(home)).others.length > 0);
});

async function write(...manifests: readonly Manifest[]): Promise<void> {
  await changeRegistry(home, ({ commit }) => commit(manifests));
}

async function listen(host: string, onPort: number): Promise<void> {
  const server = createServer().listen({ host, port: onPort, ipv6Only: true });
  onTestFinished(() => void server.close());
  await once(server, "listening");
}

const OURS = expect.stringContaining(`pid ${process.pid} (`) as string;

describe("a stranger in a block", () => {
  test("is one conflict for each of its ports, however many sockets it has there", async () => {
    await write(manifest(home, "dev", port, { host: "::" }));
    for (const host of ["127.0.0.1", "127.0.0.2", "::1"]) await listen(host, port);
    await listen("::1", port + 9);
    const { blocks, conflicts, others, sockets } = await portsReport(home);
    expect(sockets).toBe("read");
    expect(conflicts).toEqual([
      { kind: "listener", port, profiles: ["dev"], owner: OURS },
      { kind: "listener", port: port + 9, profiles: ["dev"], owner: OURS },
    ]);
    expect(blocks).toMatchObject([{ profile: "dev", port, end: port + 9, state: "stopped" }]);
    expect(blocks[0]?.listeners.map((each) => [each.address, each.port, each.verdict, each.pid]).sort()).toEqual([
      ["127.0.0.1", port, "stranger", process.pid],
      ["127.0.0.2", port, "stranger", process.pid],
      ["::1", port, "stranger", process.pid],
      ["::1", port + 9, "stranger", process.pid],
    ]);
    expect(others).toEqual([]);
  });

  test("on an address that is not the profile's is shown and is no conflict", async () => {
    await write(manifest(home, "dev", port));
    await listen("127.0.0.2", port);
    const { blocks, conflicts } = await portsReport(home);
    expect(conflicts).toEqual([]);
    expect(blocks[0]?.listeners).toMatchObject([{ address: "127.0.0.2", verdict: "elsewhere", pid: process.pid }]);
  });
});

test("a listener of the pool outside of every block is told apart, and one outside of the pool is not told", async () => {
  await write(manifest(home, "dev", port, { span: 5 }));
  for (const outside of [port - 1, port + 5, port + 49, port + 50]) await listen("127.0.0.1", outside);
  const { blocks, conflicts, others, pool } = await portsReport(home);
  expect(pool).toEqual({ first: port, last: port + 49 });
  expect([blocks[0]?.end, blocks[0]?.listeners, conflicts]).toEqual([port + 4, [], []]);
  expect([...others].sort((one, other) => one.port - other.port)).toMatchObject([
    { address: "127.0.0.1", port: port + 5, pid: process.pid },
    { address: "127.0.0.1", port: port + 49, pid: process.pid },
  ]);
});

test("a port that was put outside of the block is watched like the block, and named", async () => {
  const far = port + 15;
  await write(manifest(home, "dev", port, { ports: { gateway: port, far } }));
  await listen("127.0.0.1", far);
  const { blocks, conflicts } = await portsReport(home);
  expect(conflicts).toEqual([{ kind: "listener", port: far, profiles: ["dev"], owner: OURS }]);
  expect(blocks[0]).toMatchObject({
    ports: { gateway: port, far },
    ranges: [
      { label: "gateway", first: port, last: port },
      { label: "far", first: far, last: far },
    ],
  });
});

test("blocks come by port, whatever the names, and profiles that overlap are a conflict whether anything runs or not", async () => {
  await write(manifest(home, "a", port + 20), manifest(home, "b", port), manifest(home, "c", port + 25));
  const { blocks, conflicts, nextFree } = await portsReport(home);
  expect(blocks.map(({ profile }) => profile)).toEqual(["b", "a", "c"]);
  expect(conflicts).toEqual([{ kind: "overlap", port: port + 25, profiles: ["a", "c"], owner: null }]);
  expect(nextFree).toBe(port + 10);
});

test("ports that are kept are told, claimed, and in the way of a profile", async () => {
  await changeSettings(home, () => ({ reservedPorts: [`${port + 20}-${port + 22} ann`, String(port + 9)] }));
  await write(manifest(home, "dev", port));
  const { conflicts, nextFree, reservations } = await portsReport(home);
  expect(conflicts).toEqual([
    { kind: "reservation", port: port + 9, profiles: ["dev"], owner: `a reservation (${port + 9})` },
  ]);
  expect(reservations).toEqual([
    { first: port + 9, last: port + 9, note: "" },
    { first: port + 20, last: port + 22, note: "ann" },
  ]);
  expect(nextFree).toBe(port + 10);
  await write(manifest(home, "dev", port), manifest(home, "e", port + 10), manifest(home, "f", port + 40));
  expect((await portsReport(home)).nextFree).toBe(port + 23);
  await write(...[0, 10, 20, 30, 40].map((offset) => manifest(home, `p${offset}`, port + offset)));
  expect((await portsReport(home)).nextFree).toBeNull();
});
