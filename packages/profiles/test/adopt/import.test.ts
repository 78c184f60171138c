import { LockkeeperError } from "@lockkeeper/core";
import * as fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { importGateways } from "../../src/adopt/import.ts";
import type { ImportOptions, ImportReport } from "../../src/adopt/import.ts";
import { renameProfile } from "../../src/life/rename.ts";
import { listProfiles } from "../../src/status/list.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { lockRecord, openClawHost, startAnswering, treeHash } from "../openclaw-host.ts";
import type { OpenClawHost } from "../openclaw-host.ts";
import { manifest } from "../scratch-home.ts";

async function adopt({ context, roots }: OpenClawHost, options: ImportOptions = {}): Promise<ImportReport> {
  return importGateways(context, "openclaw", { roots, ...options });
}

async function refusal(host: OpenClawHost, options: ImportOptions = {}): Promise<LockkeeperError> {
  try {
    await adopt(host, options);
  } catch (error) {
    if (error instanceof LockkeeperError) {
      expect(readRegistry(host.context.home).size).toBe(0);
      return error;
    }
    throw error;
  }
  throw new Error("it was adopted");
}

/** A systemd unit that starts the OpenClaw profile `name`. */
function unit(name: string, rest: string): Record<string, string> {
  const file = `.config/systemd/user/openclaw-gateway-${name}.service`;
  return { [file]: `[Service]\nExecStart=/opt/openclaw gateway ${rest}\n` };
}

describe("adopts in place", () => {
  test("a manifest points at the existing directories, and no byte of them changes", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw/openclaw.json": "{ gateway: { port: 31789 }, /* kept */ }",
      ".openclaw/workspace/notes.md": "x",
      ".openclaw/credentials/secret": "s",
    });
    fs.symlinkSync("notes.md", path.join(host.userHome, ".openclaw/workspace/link"));
    const theirs = path.join(host.userHome, ".openclaw");
    const before = treeHash(theirs);
    const { imported } = await adopt(host);
    expect(imported).toMatchObject([
      { from: "default", portSource: "config", status: { name: "openclaw", port: 31_789 } },
    ]);
    expect(treeHash(theirs)).toBe(before);
    const { paths, kind, ports, span } = readRegistry(host.context.home).get("openclaw") ?? manifest("", "none-", 1);
    expect({ kind, ports, span }).toEqual({
      kind: "openclaw",
      ports: {
        gateway: 31_789,
        "mcp-apps": 31_790,
        "browser-control": 31_791,
        "extension-relay": 31_799,
        cdp: 31_800,
      },
      span: 111,
    });
    expect(paths).toMatchObject({
      state: theirs,
      config: path.join(theirs, "openclaw.json"),
      workspace: path.join(theirs, "workspace"),
      lock: path.join(host.context.home, "profiles/openclaw/lock"),
    });
    expect((await adopt(host)).already).toEqual([{ from: "default", profile: "openclaw" }]);
  });

  test("remove and rename leave the existing directories alone", async () => {
    const host = openClawHost();
    host.put({ ".openclaw-work/openclaw.json": '{"gateway": {"port": 31789}}', ".openclaw-work/sessions/a": "a" });
    const theirs = path.join(host.userHome, ".openclaw-work");
    const before = treeHash(theirs);
    await adopt(host, { name: "work" });
    await renameProfile(host.context, "work", "labour");
    expect(readRegistry(host.context.home).get("labour")?.paths.state).toBe(theirs);
    await removeProfile(host.context, "labour");
    expect(treeHash(theirs)).toBe(before);
    expect((await adopt(host, { name: "work" })).imported).toHaveLength(1);
  });

  test("all: adopts each that can be adopted, and names each other one with its reason", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw/openclaw.json": '{"gateway": {"port": 31000}}',
      ".openclaw-work/openclaw.json": '{"gateway": {"port": 31200}}',
      ".openclaw-close/openclaw.json": '{"gateway": {"port": 31050}}',
      ".openclaw-odd/openclaw.json": "{",
    });
    const { imported, refused } = await adopt(host, { all: true });
    expect(imported.map(({ from }) => from)).toEqual(["close", "work"]);
    expect(refused.map(({ from, code }) => [from, code])).toEqual([
      ["default", "PORTS_OVERLAP"],
      ["odd", "CONFIG_DAMAGED"],
    ]);
    expect(refused[0]?.message).toContain("profile close");
  });
});

describe("has the port that OpenClaw itself would use", () => {
  test("a living gateway's record, then the unit, then its own env file, then the config, then the default for the name", async () => {
    const host = openClawHost();
    const running = await startAnswering();
    host.put({
      ".openclaw-one/openclaw.json": '{"gateway": {"mode": "local", "port": 31000}}',
      ...unit("one", "--port 31999"),
      ".openclaw-two/openclaw.json": "{}",
      ...unit("two", "--port=31200"),
      ".openclaw-three/openclaw.json": '{"gateway": {"port": 31400}}',
      ...unit("three", "--port 31450"),
      ".openclaw-four/openclaw.json": '{"gateway": {"port": 31600}}',
      ".openclaw-four/.env": "# mine\nexport OPENCLAW_GATEWAY_PORT='25600' # moved\n",
      ".openclaw-five/openclaw.json": '{"gateway": {"port": 31800}}',
      ".openclaw-dev/openclaw.json": '{"gateway": {"port": 31900}}',
      // Source: the output of `openclaw gateway status` 2026.9.6 for these names.
      ".openclaw-noport/openclaw.json": "{}",
      ".openclaw-Lab_2/openclaw.json": '{"env": {"vars": {"OPENCLAW_GATEWAY_PORT": "31990"}}}',
    });
    const stateDir = path.join(host.userHome, ".openclaw-three");
    for (const [file, text] of Object.entries(lockRecord(running, stateDir)))
      host.put({ [`.openclaw-three/${file}`]: text });
    const { imported } = await adopt(host, { all: true });
    expect(imported.map(({ from, portSource, status }) => [from, portSource, status.port])).toEqual([
      ["Lab_2", "default", 53_753],
      ["dev", "default", 19_001],
      ["five", "config", 31_800],
      ["four", "env-file", 25_600],
      ["noport", "default", 48_725],
      ["one", "unit", 31_999],
      ["three", "lock", running.port],
      ["two", "unit", 31_200],
    ]);
    expect(imported.find(({ from }) => from === "one")?.notes).toEqual([
      "its port is 31999, while its config says 31000",
    ]);
    expect(readRegistry(host.context.home).get("two")?.command).toEqual(["/opt/openclaw"]);
  });

  test("arguments of a unit after `gateway run` are kept; a secret in them becomes a variable, which is never shown", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw-work/openclaw.json": '{"gateway": {"mode": "local", "port": 31000}}',
      ...unit("work", "run --port 31000 --token s3cret-token --bind loopback --tailscale serve"),
    });
    await adopt(host, { name: "work" });
    const adopted = readRegistry(host.context.home).get("work");
    expect(adopted?.command).toEqual(["/opt/openclaw", "gateway", "run", "--bind", "loopback", "--tailscale", "serve"]);
    expect(adopted?.env).toEqual({ OPENCLAW_PROFILE: "work", OPENCLAW_GATEWAY_TOKEN: "s3cret-token" });
    const told = JSON.stringify(await listProfiles(host.context, { probe: false }));
    expect(told).not.toContain("s3cret-token");
  });

  test("a person may choose another", async () => {
    const host = openClawHost();
    host.put({ ".openclaw-work/openclaw.json": "{}" });
    expect((await adopt(host, { name: "work", port: "31000" })).imported[0]).toMatchObject({ portSource: null });
  });

  test("a config in parts is read as a whole, within its folder only", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw-inc/openclaw.json": '{ "$include": "./conf/base.json5", gateway: { bind: "lan" } }',
      ".openclaw-inc/conf/base.json5": '{ gateway: { $include: "../gateway.json5", mode: "local" } }',
      ".openclaw-inc/gateway.json5": "{ port: 25300, bind: 'loopback' } // here",
      ".openclaw-out/openclaw.json": '{ gateway: { $include: "../.openclaw-inc/gateway.json5" } }',
      ".openclaw-loop/openclaw.json": '{ $include: "./openclaw.json" }',
      ".openclaw-gone/openclaw.json": '{ channels: { $include: ["./channels.json5"] } }',
    });
    const { imported, refused } = await adopt(host, { all: true });
    expect(imported).toMatchObject([{ from: "inc", portSource: "config", status: { port: 25_300, host: "0.0.0.0" } }]);
    const told = Object.fromEntries(refused.map(({ from, message }) => [from, message]));
    expect(told["out"]).toContain("leads out of");
    expect(told["loop"]).toContain("leads back to");
    expect(told["gone"]).toContain("channels.json5: ENOENT");
  });
});

test("a running one is external and left alone", async () => {
  const host = openClawHost();
  const running = await startAnswering();
  host.put({ ".openclaw/openclaw.json": `{"gateway": {"port": ${running.port}}}` });
  const stateDir = path.join(host.userHome, ".openclaw");
  for (const [file, text] of Object.entries(lockRecord(running, stateDir))) host.put({ [`.openclaw/${file}`]: text });
  const { imported } = await adopt(host);
  expect(imported[0]?.status).toMatchObject({ state: "external", pid: running.pid, keeperPid: null });
  expect(await listProfiles(host.context)).toMatchObject([{ name: "openclaw", state: "external", health: "ok" }]);
  // A stranger on the port is no gateway of this profile.
  fs.rmSync(path.join(stateDir, "tmp"), { recursive: true });
  expect(await listProfiles(host.context)).toMatchObject([{ state: "stopped", pid: null }]);
});

describe("refuses, changing nothing,", () => {
  test("a state directory that is a link, with the command for its target", async () => {
    const host = openClawHost();
    host.put({ "data/openclaw.json": '{"gateway": {"port": 31000}}' });
    fs.symlinkSync(path.join(host.userHome, "data"), path.join(host.userHome, ".openclaw"));
    const { code, message, hint } = await refusal(host);
    expect({ code, message }).toEqual({
      code: "UNSAFE_PATH",
      message: expect.stringContaining("is a symbolic link") as string,
    });
    expect(hint).toContain(`--state-dir ${path.join(host.userHome, "data")}`);
    const stateDir = path.join(host.userHome, "data");
    expect((await adopt(host, { name: "data", stateDir })).imported).toHaveLength(1);
  });

  test.each([
    ["a user's home", (host: OpenClawHost) => host.userHome, "is a user's home directory"],
    ["the root", () => "/", "is the root of the file system"],
    ["a git repository", (host: OpenClawHost) => path.join(host.userHome, "repo"), "is a git repository"],
    ["a directory around our home", (host: OpenClawHost) => path.dirname(host.context.home), "home"],
    ["a directory in our home", (host: OpenClawHost) => path.join(host.context.home, "x"), "home of Lockkeeper"],
    ["no directory", (host: OpenClawHost) => path.join(host.userHome, "none"), "does not exist"],
    ["a file", (host: OpenClawHost) => path.join(host.userHome, "file"), "is not a directory"],
  ])("%s as state directory", async (_, directoryOf, fact) => {
    const host = openClawHost();
    host.put({ "repo/.git/": "", "repo/openclaw.json": "{}", file: "", ".lockkeeper/x/": "" });
    const { code, message } = await refusal(host, { name: "work", stateDir: directoryOf(host), port: 31_000 });
    expect({ code, message }).toEqual({ code: "UNSAFE_PATH", message: expect.stringContaining(fact) as string });
  });

  test.skipIf(process.geteuid?.() !== 0)("a directory of another user (needs root to make one)", async () => {
    const host = openClawHost();
    host.put({ ".openclaw/openclaw.json": '{"gateway": {"port": 31000}}' });
    fs.chownSync(path.join(host.userHome, ".openclaw"), 65_534, 65_534);
    expect(await refusal(host)).toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringContaining("belongs to another user (uid 65534)") as string,
    });
  });

  test("a directory inside another profile's, or around it, naming both", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw/openclaw.json": '{"gateway": {"port": 31000}}',
      ".openclaw/inner/openclaw.json": '{"gateway": {"port": 31200}}',
    });
    await adopt(host);
    const inner = path.join(host.userHome, ".openclaw/inner");
    await expect(adopt(host, { name: "inner", stateDir: inner })).rejects.toMatchObject({
      code: "DIRECTORY_SHARED",
      message: expect.stringMatching(/profile inner .* lies in the state of profile openclaw /) as string,
    });
    expect([...readRegistry(host.context.home).keys()]).toEqual(["openclaw"]);
  });

  test("a workspace that another profile has", async () => {
    const host = openClawHost();
    const shared = path.join(host.userHome, "work");
    host.put({
      ".openclaw-a/openclaw.json": JSON.stringify({
        gateway: { port: 31_000 },
        agents: { defaults: { workspace: shared } },
      }),
      ".openclaw-b/openclaw.json": JSON.stringify({
        gateway: { port: 31_200 },
        agents: { defaults: { workspace: "~/work" } },
      }),
      "work/": "",
    });
    const { imported, refused } = await adopt(host, { all: true });
    expect(imported.map(({ from }) => from)).toEqual(["a"]);
    expect(refused).toMatchObject([
      { from: "b", code: "DIRECTORY_SHARED", message: expect.stringContaining(shared) as string },
    ]);
  });

  test("a directory that a profile of another home has, naming both homes", async () => {
    const host = openClawHost();
    host.put({ ".openclaw/openclaw.json": '{"gateway": {"port": 31000}}' });
    await adopt(host);
    const other = { ...host, context: { ...host.context, home: path.join(host.userHome, "second-home") } };
    const { code, message } = await refusal(other);
    expect(code).toBe("DIRECTORY_SHARED");
    expect(message).toContain(host.context.home);
    expect(message).toContain(other.context.home);
  });

  test("a config that does not parse or does not exist", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw-bad/openclaw.json": "{ gateway:",
      ".openclaw-none/": "",
      ".openclaw-odd/openclaw.json": '{"gateway":{"port":"x"}}',
    });
    for (const name of ["bad", "none", "odd"]) expect((await refusal(host, { name })).code).toBe("CONFIG_DAMAGED");
  });

  test("an unknown name with the nearest, an invalid name, and a name that is taken", async () => {
    const host = openClawHost();
    host.put({ ".openclaw-work/openclaw.json": '{"gateway": {"port": 31000}}' });
    expect((await refusal(host, { all: true, as: "x" })).code).toBe("OPTION_INVALID");
    expect(await refusal(host, { name: "wrok" })).toMatchObject({
      code: "PROFILE_NOT_FOUND",
      hint: "Did you mean work?",
    });
    expect((await refusal(host, { name: "work", as: "No Name" })).code).toBe("PROFILE_NAME_INVALID");
    const { home } = host.context;
    await changeRegistry(home, ({ commit }) => commit([manifest(home, "work", 31_500)]));
    await expect(adopt(host, { name: "work" })).rejects.toMatchObject({
      code: "PROFILE_EXISTS",
      hint: "Give it another name: lockkeeper import openclaw work --as work-2",
    });
    expect((await adopt(host, { name: "work", as: "work-2" })).imported[0]?.status.name).toBe("work-2");
  });

  test("two state directories with one name: the hint has a free name and repeats what was asked, but no value of a variable", async () => {
    const host = openClawHost();
    host.put({
      ".openclaw/openclaw.json": '{"gateway": {"port": 31789}}',
      "it's/openclaw.json": '{"gateway": {"port": 32789}}',
      "own.env": "",
    });
    fs.chmodSync(path.join(host.userHome, "own.env"), 0o600);
    const stateDir = path.join(host.userHome, "it's");
    const envFile = path.join(host.userHome, "own.env");
    await adopt(host);
    await expect(adopt(host, { stateDir, port: 33_789, envFile, protected: true })).rejects.toMatchObject({
      code: "PROFILE_EXISTS",
      hint: `Give it another name: lockkeeper import openclaw default --as openclaw-2 --state-dir '${host.userHome}/it'\\''s' --port 33789 --env-file ${envFile} --protected`,
    });
    await expect(adopt(host, { stateDir, env: { KEY: "secret" } })).rejects.toMatchObject({
      hint: "Give it another name in the same command: --as openclaw-2",
    });
    expect((await adopt(host, { stateDir, as: "openclaw-2" })).imported[0]?.status.name).toBe("openclaw-2");
    // A name that is no valid one here gets a valid one, too.
    host.put({ [`.openclaw-${"x".repeat(40)}/openclaw.json`]: '{"gateway": {"port": 34789}}' });
    await expect(adopt(host, { name: "x".repeat(40) })).rejects.toMatchObject({
      code: "PROFILE_NAME_INVALID",
      hint: `Give it another name: lockkeeper import openclaw ${"x".repeat(40)} --as ${"x".repeat(32)}`,
    });
  });

  test("a name that two of its profiles have is refused; all of them at once says how to take each", async () => {
    const host = openClawHost();
    const srv = path.join(host.userHome, "srv");
    host.put({
      ".openclaw/openclaw.json": '{"gateway": {"port": 31789}}',
      "srv/openclaw.json": '{"gateway": {"port": 32789}}',
      ".config/systemd/user/openclaw-gateway.service": `[Service]\nExecStart=/opt/openclaw gateway run\nEnvironment=OPENCLAW_STATE_DIR=${srv}\n`,
    });
    expect(await refusal(host)).toMatchObject({
      code: "OPTION_INVALID",
      evidence: [`there is ${path.join(host.userHome, ".openclaw")}`, `there is ${srv}`],
    });
    expect(await adopt(host, { all: true })).toMatchObject({
      imported: [{ status: { name: "openclaw", port: 31_789 } }],
      refused: [
        { hint: `Give it another name: lockkeeper import openclaw default --as openclaw-2 --state-dir ${srv}` },
      ],
    });
  });

  test("a program that is not known here is no kind that could be created", async () => {
    const error = await importGateways(openClawHost().context, "hermes").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "OPTION_INVALID", hint: "See what can: lockkeeper discover" });
  });
});
