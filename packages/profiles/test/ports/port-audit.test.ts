/** The ports of a home compared with the host. The listeners belong to this process. */
import type { RunRecord } from "@lockkeeper/core";
import { identifyProcess, ownIdentity, readListeners } from "@lockkeeper/core/internal";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { HANDED_ON } from "../../src/ports/handed-on.ts";
import type * as HostPortsModule from "../../src/ports/host-ports.ts";
import { portsReport } from "../../src/ports/port-audit.ts";
import type { Manifest } from "../../src/manifest.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { changeSettings } from "../../src/settings/settings.ts";
import { observeAll } from "../../src/status/observe-all.ts";
import type { ProfileObservation } from "../../src/status/observe-profile.ts";
import { openClawHost } from "../openclaw-host.ts";
import { freePort, NO_IPV6 } from "../../../../test/harness/ports.ts";
import { publishRun } from "../published-run.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

const hostPorts = vi.hoisted(() => ({ hidesListeners: false, listsFromTheTop: false }));

vi.mock("../../src/ports/host-ports.ts", async (importOriginal) => {
  const original = await importOriginal<typeof HostPortsModule>();
  const readHostPorts: typeof original.readHostPorts = (options) => {
    const view = original.readHostPorts(options);
    if (hostPorts.hidesListeners) return { ...view, listeners: "unknown" };
    if (!hostPorts.listsFromTheTop || view.listeners === "unknown") return view;
    return { ...view, listeners: view.listeners.toSorted((one, other) => other.port - one.port) };
  };
  return { ...original, readHostPorts };
});

let home: string;
/** The first of the fifty ports of the home's pool. Nobody else uses one of them. */
let port: number;

beforeEach(async () => {
  home = scratchHome();
  port = await freePort();
  await changeSettings(home, () => ({ poolFirst: port, poolLast: port + 49 }));
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
const OURS = expect.stringMatching(new RegExp(`^pid ${process.pid} \\(.*, user [^ ;]+$`)) as string;

describe("a stranger in a block", () => {
  test("is one conflict for each of its ports, however many sockets it has there", async () => {
    const third = NO_IPV6 === undefined ? "::1" : "127.0.0.3";
    await write(manifest(home, "dev", port, { host: "::" }));
    for (const host of ["127.0.0.1", "127.0.0.2", third]) await listen(host, port);
    await listen(third, port + 9);
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
      [third, port, "stranger", process.pid],
      [third, port + 9, "stranger", process.pid],
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

test("the listeners of a block are found in whatever order the host lists them", async () => {
  await write(manifest(home, "dev", port));
  for (const taken of [port, port + 9, port + 20]) await listen("127.0.0.1", taken);
  hostPorts.listsFromTheTop = true;
  onTestFinished(() => void (hostPorts.listsFromTheTop = false));
  const { blocks, others } = await portsReport(home);
  expect(blocks[0]?.listeners.map((each) => each.port).sort((a, b) => a - b)).toEqual([port, port + 9]);
  expect(others.map((each) => each.port)).toEqual([port + 20]);
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

test("an installation of OpenClaw is listed with its ports and conflicts with a profile, until a profile has adopted it", async () => {
  const { userHome, put } = openClawHost();
  vi.stubEnv("HOME", userHome);
  onTestFinished(() => void vi.unstubAllEnvs());
  const gateway = port + 30;
  put({ ".openclaw/openclaw.json": `{ gateway: { port: ${gateway} } }` });
  const directory = expect.stringMatching(/\/\.openclaw$/) as string;
  const owner = expect.stringMatching(
    new RegExp(`^OpenClaw in .*/\\.openclaw \\(gateway and derived ports ${gateway}-${gateway + 110}\\)$`),
  ) as string;
  await write(manifest(home, "dev", gateway));
  const found = await portsReport(home);
  expect(found.openclaw).toContainEqual({
    first: gateway,
    last: gateway + 110,
    program: "OpenClaw",
    owner: directory,
    label: "gateway and derived ports",
  });
  expect(found.conflicts).toEqual([
    {
      kind: "openclaw",
      port: gateway,
      profiles: ["dev"],
      owner,
    },
  ]);
  const dev = manifest(home, "dev", gateway);
  await write({ ...dev, paths: { ...dev.paths, state: path.join(userHome, ".openclaw") } });
  const adopted = await portsReport(home);
  expect(adopted.openclaw.filter(({ first }) => first === gateway)).toEqual([]);
  expect(adopted.conflicts).toEqual([]);
});

test("where the host hides its listeners the report says so, calls nothing a stranger, and tries the next block", async () => {
  await write(manifest(home, "dev", port));
  for (const taken of [port, port + 10]) await listen("127.0.0.1", taken);
  hostPorts.hidesListeners = true;
  onTestFinished(() => void (hostPorts.hidesListeners = false));
  const { sockets, blocks, conflicts, others, nextFree } = await portsReport(home);
  expect([sockets, blocks[0]?.listeners, conflicts, others]).toEqual(["unknown", [], [], []]);
  expect(nextFree).toBe(port + 11);
});

function publish(profile: Manifest, changes: Partial<RunRecord>): void {
  publishRun(home, profile, { nonce: NONCE, ...changes });
}

const NONCE = "0123456789abcdef0123456789abcdef";

/** Starts a process of the run of `dev` in the home `of` that listens there, and returns its pid. */
async function serve(onPort: number, of = home): Promise<number> {
  const program = `require("node:net").createServer().listen(${onPort}, "127.0.0.1", () => console.log("ready"))`;
  const child = spawn(process.execPath, ["-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { LOCKKEEPER_RUN: NONCE, LOCKKEEPER_PROFILE: "dev", LOCKKEEPER_HOME: of },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child.pid ?? 0;
}

/** What a keeper records of the listener on `port`, which began during a run and is not part of it. */
function handedOn(): NonNullable<RunRecord["outside"]> {
  const listeners = readListeners();
  const socket = listeners === "unknown" ? "" : (listeners.find((each) => each.port === port)?.inode ?? "");
  return [{ port, socket, bootId: ownIdentity().bootId }];
}

async function observe(profile: Manifest): Promise<ProfileObservation> {
  const [seen] = await observeAll({ home }, [profile]);
  if (seen === undefined) throw new TypeError("expected one observation");
  return seen;
}

describe.runIf(process.platform === "linux")("a run", () => {
  test("on another port than the profile's own claims that block too, and is named in a conflict there", async () => {
    const [dev, prod] = [manifest(home, "dev", port), manifest(home, "prod", port + 10)];
    await write(dev, prod);
    const gateway = await serve(port + 12);
    publish(dev, { gateway: identifyProcess(gateway) ?? null, port: port + 12 });
    const elsewhere = await portsReport(home);
    expect(elsewhere.blocks).toMatchObject([
      {
        profile: "dev",
        state: "orphaned",
        listeners: [{ port: port + 12, pid: gateway, verdict: "own" }],
        ranges: [
          { label: "gateway", first: port, last: port },
          { label: "this run", first: port + 12, last: port + 21 },
        ],
      },
      { profile: "prod", listeners: [{ port: port + 12, pid: gateway, verdict: "stranger" }] },
    ]);
    // The profile says whose it is; the words before the process are for those of other homes.
    const owner = expect.stringMatching(new RegExp(`^pid ${gateway} \\(`)) as string;
    expect(elsewhere.conflicts).toEqual([{ kind: "listener", port: port + 12, profiles: ["prod", "dev"], owner }]);
    publish(dev, { gateway: identifyProcess(gateway) ?? null });
    expect((await portsReport(home)).blocks[0]?.ranges).toEqual([{ label: "gateway", first: port, last: port }]);
  });

  test("claims no other port once it has ended, and none that nobody has recorded", async () => {
    const dev = manifest(home, "dev", port);
    await write(dev);
    publish(dev, { state: "stopped", port: port + 12 });
    const ranges = [{ label: "gateway", first: port, last: port }];
    expect((await portsReport(home)).blocks[0]?.ranges).toEqual(ranges);
    const seen = await observe(dev);
    const unrecorded = { ...seen, record: undefined, observed: { ...seen.observed, gateway: ownIdentity() } };
    expect((await portsReport(home, undefined, { observed: [unrecorded] })).blocks[0]?.ranges).toEqual(ranges);
  });

  test("has the ports of a process with its environment, wherever that process was started, but not of one from a copied home", async () => {
    const dev = manifest(home, "dev", port);
    await write(dev);
    const [gateway, helper, copied] = [await serve(port), await serve(port + 1), await serve(port + 2, `${home}-copy`)];
    publish(dev, { gateway: identifyProcess(gateway) ?? null });
    const { blocks, conflicts } = await portsReport(home);
    expect(conflicts).toMatchObject([{ kind: "listener", port: port + 2, profiles: ["dev"] }]);
    expect(conflicts[0]?.owner?.split("(")[0]).toBe(`the gateway of profile dev of ${home}-copy: pid ${copied} `);
    expect([...(blocks[0]?.listeners ?? [])].sort((one, other) => one.port - other.port)).toMatchObject([
      { port, pid: gateway, verdict: "own" },
      { port: port + 1, pid: helper, verdict: "own" },
      { port: port + 2, pid: copied, verdict: "stranger" },
    ]);
  });

  test("is not in the way of the daemon that it handed its work to", async () => {
    const dev = manifest(home, "dev", port);
    await write(dev);
    await listen("127.0.0.1", port);
    publish(dev, { state: "stopped", outside: handedOn() });
    const seen = await observe(dev);
    const running = { ...seen, observed: { ...seen.observed, state: "running" as const } };
    const { blocks, conflicts } = await portsReport(home, undefined, { observed: [running] });
    expect(blocks[0]).toMatchObject({ state: "running", listeners: [{ port, verdict: "outside" }] });
    expect(conflicts).toEqual([]);
  });

  test.each(["stopped", "failed", "blocked"] as const)(
    "that is %s conflicts with the daemon that it handed its work to",
    async (state) => {
      const dev = manifest(home, "dev", port);
      await write(dev);
      await listen("127.0.0.1", port);
      publish(dev, { state, outside: handedOn() });
      const { blocks, conflicts } = await portsReport(home);
      expect(blocks[0]).toMatchObject({ state, listeners: [{ port, verdict: "outside" }] });
      const owner = expect.stringMatching(new RegExp(`^pid ${process.pid} .*; ${HANDED_ON}$`)) as string;
      expect(conflicts).toEqual([{ kind: "listener", port, profiles: ["dev"], owner }]);
    },
  );
});
