/** The ports of a home compared with the host. The listeners belong to this process. */
import { identifyProcess, ownIdentity, readListeners } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { HANDED_ON } from "../../src/ports/handed-on.ts";
import { portsReport } from "../../src/ports/port-audit.ts";
import type { Manifest } from "../../src/manifest.ts";
import { homePaths, runRecordPath } from "../../src/profile-paths.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { changeSettings } from "../../src/settings/settings.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

let home: string;
/** The first of the fifty ports of the home's pool, all of them free. */
let port: number;

beforeEach(async () => {
  home = scratchHome();
  // Far from the lowest free block, which others take.
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

/** With nothing after the user's name. */
const OURS = expect.stringMatching(new RegExp(`^pid ${process.pid} \\(.*, user [^;]*$`)) as string;

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

test("a listener in the pool outside of every block is listed apart; one outside of the pool is not listed", async () => {
  await write(manifest(home, "dev", port + 1, { span: 4 }));
  for (const outside of [port - 1, port, port + 5, port + 49, port + 50]) await listen("127.0.0.1", outside);
  const { blocks, conflicts, others, pool } = await portsReport(home);
  expect(pool).toEqual({ first: port, last: port + 49 });
  expect([blocks[0]?.end, blocks[0]?.listeners, conflicts]).toEqual([port + 4, [], []]);
  expect([...others].sort((one, other) => one.port - other.port)).toMatchObject([
    { address: "127.0.0.1", port, pid: process.pid },
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

test("blocks are sorted by port, whatever the names; overlapping profiles are a conflict whether they run or not", async () => {
  await write(manifest(home, "a", port + 20), manifest(home, "b", port), manifest(home, "c", port + 25));
  const { blocks, conflicts, nextFree } = await portsReport(home);
  expect(blocks.map(({ profile }) => profile)).toEqual(["b", "a", "c"]);
  expect(conflicts).toEqual([{ kind: "overlap", port: port + 25, profiles: ["a", "c"], owner: null }]);
  expect(nextFree).toBe(port + 10);
});

test("reserved ports are listed, claimed, and conflict with a profile", async () => {
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

/** Publishes a record as a keeper would. */
function publish({ name, port: own }: Manifest, changes: Readonly<Record<string, unknown>>): void {
  const record = {
    v: 1,
    profile: name,
    nonce: NONCE,
    state: "running",
    reason: null,
    code: null,
    since: new Date().toISOString(),
    keeper: null,
    gateway: null,
    host: "127.0.0.1",
    port: own,
    ports: { gateway: own },
    startedAt: null,
    health: "ok",
    restarts: 0,
    lastExit: null,
    ...changes,
  };
  mkdirSync(homePaths(home).run, { recursive: true, mode: 0o700 });
  writeFileSync(runRecordPath(home, name), JSON.stringify(record), { mode: 0o600 });
}

const NONCE = "0123456789abcdef0123456789abcdef";

describe.runIf(process.platform === "linux")("a run", () => {
  test("on another port than the profile's own claims that block too, and is named in a conflict there", async () => {
    const [dev, prod] = [manifest(home, "dev", port), manifest(home, "prod", port + 10)];
    await write(dev, prod);
    const listenOn = `require("node:net").createServer().listen(${port + 12}, "127.0.0.1", () => console.log("ready"))`;
    const gateway = spawn(process.execPath, ["-e", listenOn], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { LOCKKEEPER_RUN: NONCE, LOCKKEEPER_PROFILE: "dev", LOCKKEEPER_HOME: home },
    });
    onTestFinished(() => void gateway.kill("SIGKILL"));
    await once(gateway.stdout, "data");
    publish(dev, { gateway: identifyProcess(gateway.pid ?? 0), port: port + 12 });
    const elsewhere = await portsReport(home);
    expect(elsewhere.blocks).toMatchObject([
      {
        profile: "dev",
        state: "orphaned",
        listeners: [{ port: port + 12, pid: gateway.pid, verdict: "own" }],
        ranges: [
          { label: "gateway", first: port, last: port },
          { label: "this run", first: port + 12, last: port + 21 },
        ],
      },
      { profile: "prod", listeners: [{ port: port + 12, pid: gateway.pid, verdict: "stranger" }] },
    ]);
    const owner = expect.stringContaining(`pid ${gateway.pid} (`) as string;
    expect(elsewhere.conflicts).toEqual([{ kind: "listener", port: port + 12, profiles: ["prod", "dev"], owner }]);
    publish(dev, { gateway: identifyProcess(gateway.pid ?? 0) });
    expect((await portsReport(home)).blocks[0]?.ranges).toEqual([{ label: "gateway", first: port, last: port }]);
  });

  test.each(["stopped", "failed", "blocked"])(
    "that is %s conflicts with the daemon that it handed its work to",
    async (state) => {
      const dev = manifest(home, "dev", port);
      await write(dev);
      await listen("127.0.0.1", port);
      const listeners = readListeners();
      const socket = listeners === "unknown" ? "" : listeners.find((each) => each.port === port)?.inode;
      publish(dev, { state, outside: [{ port, socket, bootId: ownIdentity().bootId }] });
      const { blocks, conflicts } = await portsReport(home);
      expect(blocks[0]).toMatchObject({ state, listeners: [{ port, verdict: "outside" }] });
      const owner = expect.stringMatching(new RegExp(`^pid ${process.pid} .*; ${HANDED_ON}$`)) as string;
      expect(conflicts).toEqual([{ kind: "listener", port, profiles: ["dev"], owner }]);
    },
  );
});
