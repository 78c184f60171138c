import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { portsReport } from "../../src/ports/port-audit.ts";
import { explainPort } from "../../src/ports/port-explanation.ts";
import { findUnusablePort, readHostPorts } from "../../src/ports/host-ports.ts";
import { homePaths } from "../../src/profile-paths.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { changeSettings } from "../../src/settings/settings.ts";
import { freePort, NO_IPV6 } from "../../../../test/harness/ports.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(host: string, ipv6Only = false): Promise<number> {
  const port = await freePort(host);
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  server.listen({ host, port, ipv6Only });
  await once(server, "listening");
  return port;
}

const asRoot = process.geteuid?.() === 0;
const modeOf = (path: string): number => fs.statSync(path).mode & 0o777;

describe("createProfile", () => {
  test("makes the whole profile, private under any umask", async () => {
    const home = scratchHome();
    const before = process.umask(0);
    const made = await createProfile(home, { name: "dev" }).finally(() => process.umask(before));
    expect(readRegistry(home).get("dev")).toEqual(made);
    expect(made).toMatchObject({ kind: "builtin", host: "127.0.0.1", span: 10, health: "/healthz", protected: false });
    const { profile, lock, logs, state, workspace, token, config } = made.paths;
    for (const folder of [home, profile, lock, logs, state, workspace, dirname(config)])
      expect(modeOf(folder)).toBe(0o700);
    expect(modeOf(token)).toBe(0o600);
    expect(fs.readFileSync(token, "utf8")).toMatch(/^[\w-]{43}\n$/);
    expect(modeOf(homePaths(home).registry)).toBe(0o600);
  });

  test("stores every option", async () => {
    const home = scratchHome();
    const made = await createProfile(home, {
      name: "api",
      argv: ["node", "server.js", "--port", "{port}"],
      cwd: home.replace(/home$/, ""),
      env: { MODE: "test" },
      passEnv: ["PATH_EXTRA"],
      extraPorts: { metrics: 1 },
      health: "/ready",
      protected: true,
      span: 4,
    });
    expect(readRegistry(home).get("api")).toMatchObject({
      kind: "command",
      command: ["node", "server.js", "--port", "{port}"],
      env: { MODE: "test" },
      passEnv: ["PATH_EXTRA"],
      ports: { gateway: made.port, metrics: made.port + 1 },
      health: "/ready",
      protected: true,
      span: 4,
    });
  });

  test.each([
    ["127.0.0.1", { bind: "loopback" }],
    ["0.0.0.0", { bind: "lan" }],
    ["127.0.0.2", { bind: "custom", customBindHost: "127.0.0.2" }],
  ])("the config of an OpenClaw profile on %s binds there", async (host, bind) => {
    const { paths } = await createProfile(scratchHome(), { name: "claw", kind: "openclaw", host });
    expect((JSON.parse(fs.readFileSync(paths.config, "utf8")) as { gateway: object }).gateway).toMatchObject(bind);
  });

  test("an extra port that the gateway opens itself is refused", async () => {
    for (const offset of [1, 10, 60]) {
      const attempt = createProfile(scratchHome(), { name: "claw", kind: "openclaw", extraPorts: { metrics: offset } });
      await expect(attempt).rejects.toMatchObject({
        code: "OPTION_INVALID",
        hint: expect.stringContaining("opens it itself"),
      });
    }
  });

  test("an OpenClaw profile gets its derived ports, a wide block and an initial config", async () => {
    const home = scratchHome();
    const made = await createProfile(home, { name: "claw", kind: "openclaw" });
    expect(made.span).toBe(120);
    expect(made.ports).toMatchObject({
      gateway: made.port,
      "mcp-apps": made.port + 1,
      "browser-control": made.port + 2,
      cdp: made.port + 11,
    });
    expect(JSON.parse(fs.readFileSync(made.paths.config, "utf8"))).toMatchObject({ gateway: { port: made.port } });
  });

  test.each([
    [{ name: "../x" }, "PROFILE_NAME_INVALID"],
    [{ name: "x", port: 0 }, "PORT_INVALID"],
    [{ name: "x", port: 70_000 }, "PORT_INVALID"],
    [{ name: "x", port: "abc" }, "PORT_INVALID"],
    [{ name: "x", port: "1.5" }, "PORT_INVALID"],
    [{ name: "x", port: -1 }, "PORT_INVALID"],
    [{ name: "x", port: 65_530 }, "PORT_INVALID"],
    [{ name: "x", span: 0 }, "OPTION_INVALID"],
    [{ name: "x", kind: "openclaw", span: 100 }, "OPTION_INVALID"],
    [{ name: "x", kind: "magic" }, "OPTION_INVALID"],
    [{ name: "x", kind: "command" }, "OPTION_INVALID"],
    [{ name: "x", argv: ["node", "{nonsense}"] }, "OPTION_INVALID"],
    [{ name: "x", kind: "builtin", argv: ["node"] }, "OPTION_INVALID"],
    [{ name: "x", host: "127.0.0.1:80" }, "OPTION_INVALID"],
    [{ name: "x", host: "http://x/" }, "OPTION_INVALID"],
    [{ name: "x", host: "192.0.2.1" }, "BIND_FAILED"],
    [{ name: "x", extraPorts: { metrics: 10 } }, "OPTION_INVALID"],
    [{ name: "x", extraPorts: { gateway: 1 } }, "OPTION_INVALID"],
    [{ name: "x", env: { "A-B": "1" } }, "OPTION_INVALID"],
    [{ name: "x", passEnv: ["A=B"] }, "OPTION_INVALID"],
    [{ name: "x", cwd: "/nonexistent" }, "OPTION_INVALID"],
    [{ name: "x", health: "ftp" }, "OPTION_INVALID"],
  ] as const)("refuses %j with %s and writes no profile", async (options, code) => {
    const home = scratchHome();
    await expect(createProfile(home, options)).rejects.toMatchObject({ code });
    expect(readRegistry(home).size).toBe(0);
    expect(fs.existsSync(join(home, "profiles", "x"))).toBe(false);
  });

  test("refuses an existing name, and an unknown folder, touching neither", async () => {
    const home = scratchHome();
    const { paths } = await createProfile(home, { name: "dev" });
    const token = fs.readFileSync(paths.token, "utf8");
    await expect(createProfile(home, { name: "dev" })).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
    expect(fs.readFileSync(paths.token, "utf8")).toBe(token);
    fs.mkdirSync(join(home, "profiles", "old"));
    fs.writeFileSync(join(home, "profiles", "old", "precious"), "x");
    await expect(createProfile(home, { name: "old" })).rejects.toMatchObject({ code: "PROFILE_EXISTS" });
    expect(fs.existsSync(join(home, "profiles", "old", "precious"))).toBe(true);
  });

  test("a home inside another home's profile is refused, naming both", async () => {
    const outer = scratchHome();
    const { paths } = await createProfile(outer, { name: "dev" });
    const inner = join(paths.state, "inner");
    const attempt = createProfile(inner, { name: "x" });
    await expect(attempt).rejects.toMatchObject({ code: "DIRECTORY_SHARED" });
    await expect(attempt).rejects.toThrow(`profile x (${inner}) lies in the state of profile dev (${outer})`);
  });

  test("a link in place of a folder of the home is refused, its target untouched", async () => {
    const home = scratchHome();
    const target = join(dirname(home), "target");
    fs.mkdirSync(home, { mode: 0o700 });
    fs.mkdirSync(target);
    fs.symlinkSync(target, join(home, "profiles"));
    await expect(createProfile(home, { name: "x" })).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    expect(fs.readdirSync(target)).toEqual([]);
  });

  test("an explicit port that overlaps names the other profile and its derived range", async () => {
    const home = scratchHome();
    const { port } = await createProfile(home, { name: "claw", kind: "openclaw" });
    const attempt = createProfile(home, { name: "x", port: port + 20 });
    await expect(attempt).rejects.toMatchObject({ code: "PORTS_OVERLAP" });
    await expect(attempt).rejects.toThrow("profile claw");
    await expect(attempt).rejects.toThrow(`cdp ${port + 11}-${port + 110}`);
    await expect(createProfile(home, { name: "x", port: port - 5 })).rejects.toThrow(`gateway ${port}`);
  });

  test("an explicit port in use names its holder; a listener on another interface does not matter", async () => {
    const home = scratchHome();
    const taken = await listen("0.0.0.0");
    const attempt = createProfile(home, { name: "x", port: taken, span: 1 });
    await expect(attempt).rejects.toMatchObject({ code: "PORT_IN_USE" });
    await expect(attempt).rejects.toMatchObject({ evidence: [expect.stringContaining(`pid ${process.pid}`)] });
    const elsewhere = await listen("127.0.0.2");
    expect((await createProfile(home, { name: "y", port: elsewhere, span: 1 })).port).toBe(elsewhere);
  });

  test("an exhausted pool says how many ports each owner uses, and how to widen it", async () => {
    const home = scratchHome();
    const first = await freePort();
    await changeSettings(home, () => ({ poolFirst: first, poolLast: first + 24 }));
    await createProfile(home, { name: "a" });
    await createProfile(home, { name: "b" });
    const attempt = createProfile(home, { name: "c" });
    await expect(attempt).rejects.toMatchObject({ code: "PORTS_EXHAUSTED" });
    await expect(attempt).rejects.toThrow("20 by 2 profiles");
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringContaining("config set poolLast") });
    expect((await portsReport(home)).nextFree).toBeNull();
    expect((await createProfile(home, { name: "d", span: 5 })).port).toBe(first + 20);
  });

  test("an env file that a start would refuse is refused before anything is made", async () => {
    const home = scratchHome();
    const envFile = join(dirname(home), "api.env");
    const attempt = (): Promise<unknown> => createProfile(home, { name: "x", envFile });
    await expect(attempt()).rejects.toMatchObject({ code: "OPTION_INVALID" });
    fs.writeFileSync(envFile, "TOKEN=one\n", { mode: 0o644 });
    await expect(attempt()).rejects.toMatchObject({ code: "UNSAFE_PATH", hint: `Close it: chmod 600 ${envFile}` });
    expect(fs.existsSync(home)).toBe(false);
    fs.chmodSync(envFile, 0o600);
    await expect(attempt()).resolves.toMatchObject({ envFile });
  });

  test("an invalid span is refused with both limits", async () => {
    const attempt = createProfile(scratchHome(), { name: "x", span: 100_000 });
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringContaining("from 1 to 65535") });
  });

  test.skipIf(process.platform === "win32")(
    "without a free descriptor the error names the limit, not the address",
    () => {
      const fixture = fileURLToPath(new URL("../fixtures/no-descriptors.js", import.meta.url));
      const output = execFileSync("sh", ["-c", 'ulimit -n 256 && exec "$0" "$1"', process.execPath, fixture]);
      expect(JSON.parse(output.toString())).toMatchObject({
        code: "IO_FAILED",
        message: expect.stringContaining("EMFILE"),
        hint: expect.stringContaining("ulimit -n"),
      });
    },
  );

  test.skipIf(!asRoot)(
    "a full, a read-only and an impossible home lose nothing (needs root: mounts a tmpfs)",
    async () => {
      const disk = dirname(scratchHome());
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=48k", "tmpfs", disk]);
      try {
        const home = join(disk, "home");
        await createProfile(home, { name: "dev" });
        const registry = fs.readFileSync(homePaths(home).registry, "utf8");
        try {
          fs.writeFileSync(join(disk, "filler"), Buffer.alloc(48 * 1024));
        } catch {
          // The disk is full now, as intended.
        }
        await expect(createProfile(home, { name: "x" })).rejects.toMatchObject({ code: "DISK_FULL" });
        expect(fs.readFileSync(homePaths(home).registry, "utf8")).toBe(registry);
        fs.rmSync(join(disk, "filler"));
        await createProfile(home, { name: "x" });
        execFileSync("mount", ["-o", "remount,ro", disk]);
        await expect(createProfile(home, { name: "y" })).rejects.toMatchObject({ code: "DISK_READ_ONLY" });
        expect([...readRegistry(home).keys()]).toEqual(["dev", "x"]);
        await expect(createProfile(join(disk, "new"), { name: "y" })).rejects.toMatchObject({ code: "DISK_READ_ONLY" });
      } finally {
        execFileSync("umount", [disk]);
      }
      await expect(createProfile("/dev/null/home", { name: "y" })).rejects.toThrow("/dev/null");
    },
  );
});

/** Source: /etc/passwd of every Linux: the user that owns nothing. */
const NOBODY = 65_534;

test.skipIf(!asRoot)(
  "another user's port is taken, owner not visible; low ports need a privilege (needs root)",
  async () => {
    const port = await listen("127.0.0.1");
    const scratch = dirname(scratchHome());
    fs.chownSync(scratch, NOBODY, NOBODY);
    const fixture = fileURLToPath(new URL("../fixtures/as-nobody.js", import.meta.url));
    const output = await new Promise<string>((resolve, reject) =>
      execFile(process.execPath, [fixture, scratch, String(port)], { uid: NOBODY, gid: NOBODY }, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      ),
    );
    expect(JSON.parse(output)).toMatchObject({
      privileged: { code: "PERMISSION_DENIED", message: expect.stringContaining("port 80 needs a privilege") },
      capable: null,
      held: { code: "PORT_IN_USE", evidence: [expect.stringContaining("owner not visible")] },
      explained: { bind: "taken", listeners: [{ address: "127.0.0.1", port, pid: null, command: null, user: null }] },
    });
  },
);

describe("the host", () => {
  test("without /proc: listeners unknown, the ephemeral range assumed, and every local address is tried", async () => {
    const host = readHostPorts({ procRoot: join(scratchHome(), "absent") });
    expect(host.listeners).toBe("unknown");
    expect(host.ephemeral).toEqual({ first: 49_152, last: 65_535, source: "assumed" });
    const port = await listen("127.0.0.1");
    expect(await findUnusablePort("127.0.0.1", { first: port, last: port }, "unknown")).toMatchObject({
      verdict: "taken",
    });
    // Nothing listens on the requested address, but something does on another address of this machine.
    const wide = await listen("::", true);
    expect(await findUnusablePort("127.0.0.1", { first: wide, last: wide }, [])).toBeUndefined();
    expect(await findUnusablePort("127.0.0.1", { first: wide, last: wide }, "unknown")).toMatchObject({ port: wide });
  });
});

async function withBlock(host: string, port: number): Promise<string> {
  const home = scratchHome();
  await changeRegistry(home, ({ commit }) => commit([manifest(home, "dev", port, { host, span: 1 })]));
  return home;
}

describe("portsReport", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1", false, "stranger"],
    ["0.0.0.0", "127.0.0.1", false, "stranger"],
    ["::", "127.0.0.1", false, "stranger"],
    ["::", "127.0.0.1", true, "elsewhere"],
    ["::1", "127.0.0.1", false, "elsewhere"],
    ["::1", "localhost", false, "stranger"],
    ["127.0.0.2", "127.0.0.1", false, "elsewhere"],
    ["127.0.0.2", "0.0.0.0", false, "stranger"],
    ["127.0.0.1", "::1", false, "elsewhere"],
  ] as const)("a listener on %s against a profile on %s (v6only %s): %s", async (address, host, v6only, verdict) => {
    if (NO_IPV6 !== undefined && address === "::1") return void process.stdout.write(`skipped: ${NO_IPV6}\n`);
    const port = await listen(address, v6only);
    const report = await portsReport(await withBlock(host, port));
    expect(report.blocks[0]?.listeners.map((each) => each.verdict)).toEqual([verdict]);
    expect(report.conflicts).toHaveLength(verdict === "stranger" ? 1 : 0);
    if (verdict === "stranger") {
      expect(report.conflicts[0]).toMatchObject({ kind: "listener", port, profiles: ["dev"] });
      expect(report.conflicts[0]?.owner).toContain(`pid ${process.pid}`);
    }
  });

  test("overlapping plans are conflicts even when nothing runs; the next free block avoids them all", async () => {
    const home = scratchHome();
    const first = await freePort();
    const manifests = [manifest(home, "a", first), manifest(home, "b", first + 5), manifest(home, "c", first + 15)];
    await changeRegistry(home, ({ commit }) => commit(manifests));
    const report = await portsReport(home);
    expect(report.conflicts).toEqual([{ kind: "overlap", port: first + 5, profiles: ["a", "b"], owner: null }]);
    expect(report.blocks.map(({ port, end }) => [port, end])).toEqual([
      [first, first + 9],
      [first + 5, first + 14],
      [first + 15, first + 24],
    ]);
  });

  test("ports that an OpenClaw profile's own config puts elsewhere belong to it", async () => {
    const home = scratchHome();
    const { paths } = await createProfile(home, { name: "claw", kind: "openclaw" });
    const config = JSON.parse(fs.readFileSync(paths.config, "utf8")) as object;
    const browser = { profiles: { work: { cdpPort: 24_000 } } };
    fs.writeFileSync(paths.config, `// JSON5, as OpenClaw writes it\n${JSON.stringify({ ...config, browser })}`);
    const label = "browser.profiles.work.cdpPort";
    const attempt = createProfile(home, { name: "x", port: 23_995 });
    await expect(attempt).rejects.toThrow(`overlaps 24000 of profile claw (there: ${label} 24000)`);
    expect((await portsReport(home)).blocks[0]?.ranges).toContainEqual({ label, first: 24_000, last: 24_000 });
    expect(await explainPort(home, 24_000)).toMatchObject({ profiles: [{ profile: "claw", label }] });
  });

  test("one port explained: its owner, since when, and its holder", async () => {
    const home = scratchHome();
    const port = await listen("127.0.0.1");
    await changeRegistry(home, ({ commit }) => commit([manifest(home, "dev", port - 1, { span: 2 })]));
    expect(await explainPort(home, port)).toMatchObject({
      port,
      profiles: [{ profile: "dev", label: null, since: "2026-01-02T03:04:05.678Z" }],
      listeners: [{ address: "127.0.0.1", pid: process.pid }],
      bind: "taken",
      browserRefused: "no",
    });
  });
});

describe("removeProfile", () => {
  test("moves the folder to the trash with its manifest, forgets the selection, and frees name and ports", async () => {
    const home = scratchHome();
    const made = await createProfile(home, { name: "dev", port: await freePort() });
    const outside = join(dirname(home), "outside");
    fs.mkdirSync(outside);
    fs.writeFileSync(join(outside, "precious"), "x");
    fs.symlinkSync(outside, join(made.paths.workspace, "link"));
    await changeSettings(home, () => ({ defaultProfile: "dev" }));
    const { trash } = await removeProfile({ home }, "dev");
    expect(readRegistry(home).size).toBe(0);
    expect(fs.existsSync(made.paths.profile)).toBe(false);
    expect(fs.existsSync(join(outside, "precious"))).toBe(true);
    expect(JSON.parse(fs.readFileSync(join(trash, "manifest.json"), "utf8"))).toMatchObject({
      name: "dev",
      port: made.port,
    });
    expect(fs.readFileSync(homePaths(home).settings, "utf8")).not.toContain('"dev"');
    expect((await createProfile(home, { name: "dev", port: made.port })).port).toBe(made.port);
    await expect(removeProfile({ home }, "nobody")).rejects.toMatchObject({ code: "PROFILE_NOT_FOUND" });
  });
});
