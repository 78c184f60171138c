import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { DiscoveredGateway, Discovery } from "../../src/discover/discovered-gateway.ts";
import { discoverGateways } from "../../src/discover/discover.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { lockRecord, openClawHost, startAnswering, treeHash } from "../openclaw-host.ts";
import type { OpenClawHost } from "../openclaw-host.ts";
import { manifest } from "../scratch-home.ts";
import { freePort } from "../../../../test/harness/ports.ts";

async function discover({ context, roots }: OpenClawHost): Promise<Discovery> {
  return discoverGateways(context, { roots });
}

function named({ gateways }: Discovery, name: string): DiscoveredGateway {
  const found = gateways.find((gateway) => gateway.name === name);
  if (found === undefined) throw new Error(`not discovered: ${name}`);
  return found;
}

test("nothing is created on a machine that has nothing", async () => {
  const host = openClawHost();
  const before = treeHash(host.userHome);
  const { gateways, adopt, looked } = await discover(host);
  expect(gateways.filter(({ sources }) => sources.some((source) => source !== "listener"))).toEqual([]);
  expect(adopt).toEqual([]);
  expect(looked).toContain(path.join(host.userHome, ".openclaw"));
  expect(treeHash(host.userHome)).toBe(before);
  expect(fs.existsSync(host.context.home)).toBe(false);
});

test("OpenClaw's profiles on disk are shown with their ports and the command that adopts each", async () => {
  const host = openClawHost();
  host.put({
    ".openclaw/openclaw.json": "{ gateway: { port: 3789, /* mine */ }, }",
    ".openclaw-work/openclaw.json": '{"gateway": {"port": 3850}}',
    ".openclaw-bad/openclaw.json": "{ gateway: ",
    ".openclawx/openclaw.json": "{}",
  });
  const before = treeHash(host.userHome);
  const found = await discover(host);
  expect(named(found, "default")).toMatchObject({
    sources: ["disk"],
    program: "openclaw",
    port: 3_789,
    portSource: "config",
    stateDir: path.join(host.userHome, ".openclaw"),
    owner: null,
    adopt: "lockkeeper import openclaw default",
    // 3789 + 110 is in the other's block.
    overlaps: [{ kind: "ports", with: "work", what: "3850-3899" }],
  });
  expect(named(found, "bad").notes[0]).toMatch(/^its config cannot be relied on: /);
  expect(named(found, "bad").port).toBeNull();
  expect(found.gateways.map(({ name }) => name)).not.toContain("x");
  expect(found.adopt).toEqual(["lockkeeper import openclaw default", "lockkeeper import openclaw work"]);
  expect(treeHash(host.userHome)).toBe(before);
});

test("a state directory that is a link is adopted by its target", async () => {
  const host = openClawHost();
  host.put({ "data/openclaw.json": '{"gateway": {"port": 3789}}' });
  const data = path.join(host.userHome, "data");
  fs.symlinkSync(data, path.join(host.userHome, ".openclaw"));
  expect(named(await discover(host), "default")).toMatchObject({
    stateDir: data,
    adopt: `lockkeeper import openclaw default --state-dir ${data}`,
  });
});

test("a unit gives port, profile and directories; its drop-ins count", async () => {
  const host = openClawHost();
  const port = await freePort();
  host.put({
    "elsewhere/state/": "",
    ".config/systemd/user/openclaw-gateway-work.service": `[Service]
ExecStart=/usr/bin/node /opt/openclaw/index.js gateway --port ${port}
Environment=OPENCLAW_STATE_DIR=%h/elsewhere/state
`,
    ".config/systemd/user/openclaw-gateway-work.service.d/port.conf":
      "[Service]\nEnvironment=OPENCLAW_PROFILE=labour\n",
    ".config/systemd/user/unrelated.service": "[Service]\nExecStart=/usr/bin/gateway --port 1\n",
  });
  const gateway = named(await discover(host), "labour");
  expect(gateway).toMatchObject({
    sources: ["disk", "unit"],
    port,
    portSource: "unit",
    stateDir: path.join(host.userHome, "elsewhere/state"),
    managers: [{ kind: "unit", unit: { name: "openclaw-gateway-work.service", manager: "systemd-user" } }],
  });
});

test("a running gateway is matched by the process that its own record names", async () => {
  const host = openClawHost();
  const running = await startAnswering();
  host.put({ ".openclaw-work/openclaw.json": "{}" });
  const stateDir = path.join(host.userHome, ".openclaw-work");
  const records = Object.entries(lockRecord(running, stateDir));
  host.put(Object.fromEntries(records.map(([file, text]) => [`.openclaw-work/${file}`, text])));
  const gateway = named(await discover(host), "work");
  expect(gateway).toMatchObject({
    sources: ["disk", "lock", "listener"],
    port: running.port,
    portSource: "lock",
    health: "ok",
    owner: { pid: running.pid },
    listening: ["127.0.0.1"],
  });
});

test("one that runs with a state directory in an unusual place is adopted by it, under a free name", async () => {
  const host = openClawHost();
  const place = path.join(host.userHome, "sp ace/it's");
  host.put({ ".openclaw/openclaw.json": "{ gateway: { port: 3789 } }" });
  const gateway = await startAnswering({ HOME: host.userHome, OPENCLAW_STATE_DIR: place, OPENCLAW_PROFILE: "" });
  // Its variables alone prove nothing.
  expect((await discover(host)).adopt).toEqual(["lockkeeper import openclaw default"]);
  host.put({ "sp ace/it's/openclaw.json": "{ gateway: { port: 3950 } }" });
  for (const [name, text] of Object.entries(lockRecord(gateway, place)))
    host.put({ [path.join("sp ace/it's", name)]: text });
  const { gateways, adopt } = await discover(host);
  expect(adopt).toEqual([
    "lockkeeper import openclaw default",
    `lockkeeper import openclaw default --as openclaw-2 --state-dir '${host.userHome}/sp ace/it'\\''s'`,
  ]);
  expect(gateways.filter(({ owner }) => owner?.pid === gateway.pid)).toMatchObject([
    { name: "default", stateDir: place },
  ]);
  // A home that is not ours is left alone.
  const other = { ...host, roots: { ...host.roots, userHome: path.join(host.userHome, "nobody") } };
  expect((await discover(other)).adopt).toEqual([]);
});

test("namesakes are adopted by their state directories, and no command gives a name that is taken", async () => {
  const host = openClawHost();
  host.put({
    ".openclaw/openclaw.json": "{ gateway: { port: 3789 } }",
    ".openclaw-openclaw/openclaw.json": "{ gateway: { port: 3950 } }",
    ".openclaw-a_b/openclaw.json": "{ gateway: { port: 4150 } }",
    [`.openclaw-${"x".repeat(40)}/openclaw.json`]: "{ gateway: { port: 4350 } }",
    "srv/oc/openclaw.json": "{ gateway: { port: 4550 } }",
    ".config/systemd/user/openclaw-gateway.service": `[Service]\nExecStart=/opt/openclaw gateway run\nEnvironment=OPENCLAW_STATE_DIR=${host.userHome}/srv/oc\n`,
    ".lockkeeper/profiles/a-b/": "",
  });
  const { adopt } = await discover(host);
  expect(adopt).toEqual([
    "lockkeeper import openclaw a_b --as a-b-2",
    `lockkeeper import openclaw default --state-dir ${host.userHome}/.openclaw`,
    `lockkeeper import openclaw default --as openclaw-2 --state-dir ${host.userHome}/srv/oc`,
    "lockkeeper import openclaw openclaw --as openclaw-3",
    `lockkeeper import openclaw ${"x".repeat(40)} --as ${"x".repeat(32)}`,
  ]);
});

test("what a planted unit calls its profile is one quoted word of the command", async () => {
  const host = openClawHost();
  host.put({
    ".config/systemd/user/x.service":
      "[Service]\nExecStart=/opt/openclaw gateway run --profile 'a;touch /tmp/x $(id)' --port 3950\n",
    ".openclaw-a;touch /tmp/x $(id)/openclaw.json": "{}",
  });
  const { adopt } = await discover(host);
  expect(adopt).toEqual(["lockkeeper import openclaw 'a;touch /tmp/x $(id)' --as a-touch-tmp-x-id"]);
});

test("what a planted unit calls its profile is never an option of the command", async () => {
  const host = openClawHost();
  host.put({
    ".config/systemd/user/x.service": "[Service]\nExecStart=/opt/openclaw gateway run --profile=--all --port 3950\n",
    ".openclaw---all/openclaw.json": "{}",
  });
  const { gateways, adopt } = await discover(host);
  // What listens on this host besides is not of this test.
  const planted = gateways.filter(({ sources }) => sources.some((source) => source !== "listener"));
  expect(planted).toMatchObject([{ name: "--all", port: 3950, adopt: null }]);
  expect(adopt).toEqual([]);
});

test("a record whose pid now belongs to another process is reported, not believed", async () => {
  const host = openClawHost();
  const running = await startAnswering();
  const record = { pid: running.pid, startTime: 1, port: running.port };
  host.put({
    ".openclaw-work/openclaw.json": "{}",
    ".openclaw-work/tmp/openclaw-0/gateway.state.lock": JSON.stringify(record),
    ".openclaw-work/tmp/openclaw-0/gateway.12345678.lock": "",
  });
  const found = await discover(host);
  expect(named(found, "work")).toMatchObject({ sources: ["disk"], portSource: "default", owner: null });
  expect(named(found, "work").notes).toEqual([expect.stringContaining("is gone or another process by now")]);
  // Nothing else explains it, so it gets a row of its own.
  expect(named(found, `127.0.0.1:${running.port}`)).toMatchObject({
    sources: ["listener"],
    program: "unknown",
    health: "ok",
    owner: { pid: running.pid },
  });
});

test("profiles of this home are shown as managed, and an adopted one only once", async () => {
  const host = openClawHost();
  const stateDir = path.join(host.userHome, ".openclaw");
  host.put({ ".openclaw/openclaw.json": '{"gateway": {"port": 3789}}' });
  const { home } = host.context;
  const dev = manifest(home, "dev", 3_500);
  const adopted = manifest(home, "mine", 3_789, { kind: "openclaw", paths: { ...dev.paths, state: stateDir } });
  await changeRegistry(home, ({ commit }) => commit([dev, adopted]));
  const found = await discover(host);
  const own = found.gateways.filter(({ sources }) => sources.includes("profile") || sources.includes("disk"));
  expect(own.map(({ name, adopt }) => [name, adopt])).toEqual([
    ["dev", null],
    ["mine", null],
  ]);
  expect(named(found, "mine").sources).toEqual(["profile", "disk"]);
  expect(found.adopt).toEqual([]);
});

test("a damaged registry is reported and hides nothing else", async () => {
  const host = openClawHost();
  host.put({ ".lockkeeper/registry.json": "{", ".openclaw/openclaw.json": '{"gateway": {"port": 3789}}' });
  const found = await discover(host);
  expect(found.faults).toEqual([expect.stringContaining("registry.json:1:2")]);
  expect(named(found, "default").port).toBe(3_789);
});
