import { acquireGatewayLock } from "@lockkeeper/core";
import { identifyProcess } from "@lockkeeper/core/internal";
import type { ProcessIdentity, RunRecord } from "@lockkeeper/core";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { diagnose, repair } from "../../src/doctor/diagnose.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { ofVersion } from "../../src/doctor/node-version.ts";
import type { Manifest } from "../../src/manifest.ts";
import { parseProfileName } from "../../src/profile-name.ts";
import { homePaths, profilePaths } from "../../src/profile-paths.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { publishRun } from "../published-run.ts";
import { manifest, scratchHome } from "../scratch-home.ts";
import { freePort } from "../../../../test/harness/ports.ts";

interface Patient {
  readonly home: string;
  readonly diagnose: () => Promise<readonly Finding[]>;
  readonly repair: () => Promise<readonly Finding[]>;
}

/** A home whose user has nothing else on this host: no units, no OpenClaw, no other home. */
async function withProfiles(...names: readonly string[]): Promise<Patient> {
  const home = scratchHome();
  const context = { home, env: { HOME: dirname(home) }, programs: { keeper: "", gateway: "" } };
  for (const name of names) await createProfile(home, { name, port: await freePort() });
  const look = async (): Promise<readonly Finding[]> => {
    const found = await diagnose(context);
    for (const each of found) expect(each.command ?? PASTED, each.code).toMatch(PASTED_COMMAND);
    return found;
  };
  return { home, diagnose: look, repair: async () => repair(context, await look()) };
}

const PASTED = "lockkeeper list";
/** A program with its arguments, and no word that a person has to replace. */
const PASTED_COMMAND =
  /^(?:lockkeeper|cat|chmod|chown|cp|df|kill|loginctl|ls|mkdir|mv|rmdir|sudo|systemctl|timedatectl|ulimit|vi) (?!.*(?:<|\bNAME\b))/s;

function manifestOf(home: string, name: string): Manifest {
  const found = readRegistry(home).get(name);
  if (found === undefined) throw new Error(`no profile ${name}`);
  return found;
}

function publish(home: string, name: string, changes: Partial<RunRecord>): void {
  publishRun(home, manifestOf(home, name), changes);
}

/** Holds the profile's lock, as a keeper does, until the test is over. */
async function own(home: string, name: string): Promise<void> {
  const { lock: lockDir, config: configPath } = manifestOf(home, name).paths;
  const lock = await acquireGatewayLock({ lockDir, configPath });
  onTestFinished(() => lock.release());
}

function identityOf(pid: number): ProcessIdentity {
  const identity = identifyProcess(pid);
  if (identity === undefined) throw new Error(`no process ${pid}`);
  return identity;
}

test.each([
  ["a file in the place of its lock directory", "lock"],
  ["a file in the place of its config's folder", "config"],
  ["a file in the place of its folder", ""],
])("%s stops no check of the other profiles", async (_, place) => {
  const { home, diagnose: look } = await withProfiles("bad", "open");
  const folder = join(manifestOf(home, "bad").paths.profile, place);
  fs.rmSync(folder, { recursive: true });
  fs.writeFileSync(folder, "", { mode: 0o600 });
  fs.chmodSync(manifestOf(home, "open").paths.state, 0o755);
  const findings = await look();
  expect(findings.map(({ code }) => code)).toContain("mode-loose");
  expect(findings.filter(({ title, evidence }) => [title, ...evidence].join().includes(folder))).not.toEqual([]);
});

/** The identity of a process that has just ended. */
async function goneProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  await once(child, "spawn");
  const identity = identityOf(child.pid ?? 0);
  child.kill("SIGKILL");
  await once(child, "exit");
  return identity;
}

/** Makes the home read-only until the end of the test. No mode stops root, so its home becomes a read-only mount. */
function forbidWriting(home: string): void {
  if (process.geteuid?.() !== 0) {
    fs.chmodSync(home, 0o500);
    onTestFinished(() => fs.chmodSync(home, 0o700));
    return;
  }
  execFileSync("mount", ["--bind", home, home]);
  onTestFinished(() => void execFileSync("umount", [home]));
  execFileSync("mount", ["-o", "remount,bind,ro", home]);
}

const codes = (findings: readonly Finding[]): readonly string[] => findings.map(({ code }) => code);

describe("diagnose", () => {
  test("finds nothing where everything is in order, and changes nothing", async () => {
    const patient = await withProfiles("dev", "prod");
    const before = fs.readdirSync(patient.home, { recursive: true });
    expect(await patient.diagnose()).toEqual([]);
    expect(fs.readdirSync(patient.home, { recursive: true })).toEqual(before);
    const empty = await withProfiles();
    expect(await empty.diagnose()).toEqual([]);
    expect(fs.existsSync(empty.home)).toBe(false);
  });

  test("a damaged registry comes first, with the command that restores the last good copy", async () => {
    const { home, diagnose: look } = await withProfiles("dev");
    const { registry } = homePaths(home);
    fs.writeFileSync(registry, "{");
    const [first] = await look();
    expect(first).toMatchObject({ weight: "error", code: "registry-damaged" });
    expect(first?.title).toContain(registry);
    expect(first?.command).toBe(`cp -p ${homePaths(home).registryLastGood} ${registry}`);
  });

  test("a read-only home is reported with its errno, and nothing is tried", async () => {
    const { home, diagnose: look } = await withProfiles("dev");
    forbidWriting(home);
    const evidence = expect.arrayContaining([expect.stringMatching(/home: E(ROFS|ACCES)$/)]) as unknown;
    expect(await look()).toMatchObject([{ weight: "warning", code: "home-not-writable", evidence }]);
  });

  test("only the repair tightens loose modes", async () => {
    const { home, diagnose: look, repair: mend } = await withProfiles("dev");
    const { token, state } = manifestOf(home, "dev").paths;
    fs.chmodSync(token, 0o644);
    fs.chmodSync(state, 0o777);
    const findings = await look();
    expect(findings).toMatchObject([
      { weight: "error", code: "mode-loose", title: `others may write ${state}`, command: `chmod 0700 ${state}` },
      { weight: "warning", code: "mode-loose", title: `others may read ${token}`, command: `chmod 0600 ${token}` },
    ]);
    expect(fs.statSync(token).mode & 0o777).toBe(0o644);
    expect(await mend()).toEqual([]);
    expect(fs.statSync(token).mode & 0o777).toBe(0o600);
    expect(fs.statSync(state).mode & 0o777).toBe(0o700);
  });

  test("a stranger on a port, and overlapping blocks, with one command for each", async () => {
    const { home, diagnose: look } = await withProfiles("dev", "prod");
    const server = createServer().listen({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await changeRegistry(home, ({ registry, commit }) =>
      commit([...registry.values()].map((each) => ({ ...each, port, span: 1, ports: { gateway: port } }))),
    );
    const findings = await look();
    expect(codes(findings).filter((code) => code !== "port-ephemeral")).toEqual([
      "blocks-overlap",
      "port-conflict",
      "port-conflict",
    ]);
    expect(findings[1]?.evidence[0]).toContain(`pid ${process.pid}`);
    expect(findings[1]?.command).toBe(`lockkeeper ports --explain ${port}`);
  });

  test("gateways in each bad state are distinguished", async () => {
    const { home, diagnose: look } = await withProfiles("a", "b", "c", "d");
    const gone = await goneProcess();
    const alive = identityOf(process.pid);
    for (const name of ["a", "b"]) await own(home, name);
    publish(home, "a", { keeper: gone, gateway: alive });
    publish(home, "b", { state: "unresponsive", keeper: alive, gateway: alive });
    publish(home, "c", { state: "failed", reason: "5 crashes in 5 minutes" });
    const { port } = manifestOf(home, "d");
    const stranger = createServer().listen({ host: "127.0.0.1", port });
    onTestFinished(() => void stranger.close());
    await once(stranger, "listening");
    publish(home, "d", { state: "blocked", reason: "port held" });
    const findings = await look();
    expect(findings.map(({ code, command }) => [code, command])).toEqual([
      ["unresponsive", "lockkeeper restart b"],
      ["failed", "lockkeeper why c"],
      ["blocked", "lockkeeper ports d"],
      ["port-conflict", `lockkeeper ports --explain ${port}`],
      ["orphaned", "lockkeeper restart a"],
    ]);
    expect(findings[1]?.evidence).toContain("5 crashes in 5 minutes");
  });

  test("the repair sweeps the leftovers of a killed run", async () => {
    const { home, diagnose: look, repair: mend } = await withProfiles("dev");
    const gone = await goneProcess();
    publish(home, "dev", { keeper: gone, gateway: gone });
    expect(codes(await look())).toEqual(["leftover"]);
    expect(await mend()).toEqual([]);
  });

  test("the repair settles an interrupted change; a folder without an owner is only named", async () => {
    const { home, diagnose: look, repair: mend } = await withProfiles("dev");
    fs.mkdirSync(join(home, "profiles", "half"), { mode: 0o700 });
    const intent = { v: 1, revision: 99, make: ["profiles/half"] };
    fs.writeFileSync(homePaths(home).registryIntent, JSON.stringify(intent), { mode: 0o600 });
    expect(codes(await look())).toEqual(["change-interrupted"]);
    expect(await mend()).toEqual([]);
    expect(fs.existsSync(join(home, "profiles", "half"))).toBe(false);
    fs.mkdirSync(join(home, "profiles", "stray"), { mode: 0o700 });
    expect(await mend()).toMatchObject([{ code: "folder-unknown" }]);
    expect(fs.existsSync(join(home, "profiles", "stray"))).toBe(true);
  });

  test("shared and nested directories name both profiles, links followed; a missing directory is reported", async () => {
    const { home, diagnose: look } = await withProfiles("a", "b", "c");
    const [a, b, c] = [manifestOf(home, "a"), manifestOf(home, "b"), manifestOf(home, "c")];
    fs.rmdirSync(b.paths.state);
    fs.mkdirSync(join(a.paths.workspace, "inner"));
    fs.symlinkSync(join(a.paths.workspace, "inner"), b.paths.state);
    fs.rmdirSync(c.paths.state);
    const findings = await look();
    expect(findings).toMatchObject([
      { code: "directory-missing", evidence: [c.paths.state] },
      { code: "directory-shared", title: expect.stringMatching(/profile a .* and profile b /) },
    ]);
  });

  test("a secret that two profiles share is named by its place, never printed", async () => {
    const { home, diagnose: look } = await withProfiles();
    const secret = "123456:bot-token-of-mine";
    for (const name of ["a", "b"]) {
      const { paths } = await createProfile(home, { name, kind: "openclaw", env: { API_TOKEN: "the-same-in-both" } });
      const config = JSON.parse(fs.readFileSync(paths.config, "utf8")) as Record<string, unknown>;
      fs.writeFileSync(paths.config, JSON.stringify({ ...config, channels: { telegram: { botToken: secret } } }));
    }
    await createProfile(home, { name: "c", env: { BOT_TOKEN: secret } });
    const findings = (await look()).filter(({ code }) => code === "secret-shared");
    expect(findings).toHaveLength(2);
    expect(findings.flatMap(({ evidence }) => evidence)).toContain("b: config channels.telegram.botToken");
    expect(JSON.stringify(findings)).not.toContain(secret);
  });

  test("units that start a missing profile, or one profile twice", async () => {
    const { home, diagnose: look } = await withProfiles("dev");
    const units = join(dirname(home), ".config", "systemd", "user");
    fs.mkdirSync(units, { recursive: true });
    const unit = (file: string, command: string): void =>
      fs.writeFileSync(join(units, file), `[Service]\nExecStart=${command}\n`);
    unit("one.service", `${process.execPath} /opt/gone/lockkeeper.js run dev`);
    unit("two.service", `${process.execPath} ${process.execPath} lockkeeper run dev --supervised`);
    unit("three.service", `${process.execPath} lockkeeper run ghost`);
    unit("other.service", "/usr/bin/true");
    const found = new Map((await look()).map(({ code, command }) => [code, command]));
    expect([...found.keys()].sort()).toEqual(["service-duel", "service-profile-missing", "service-program-missing"]);
    expect(found.get("service-profile-missing")).toBe("systemctl --user disable --now three.service");
    expect(found.get("service-program-missing")).toBe("systemctl --user edit --full one.service");
  });

  /** https://github.com/openclaw/openclaw/issues/79375: two autostart mechanisms for one gateway. */
  test("the unit that started an adopted gateway before conflicts with ours as long as it is enabled", async () => {
    const { home, diagnose: look } = await withProfiles();
    const userHome = dirname(home);
    const state = join(userHome, ".openclaw");
    const units = join(userHome, ".config/systemd/user");
    const wants = join(units, "default.target.wants");
    for (const folder of [state, wants]) fs.mkdirSync(folder, { recursive: true });
    const paths = { ...profilePaths(home, parseProfileName("mine")), state, config: join(state, "openclaw.json") };
    await changeRegistry(home, ({ commit }) => commit([manifest(home, "mine", 31_789, { kind: "openclaw", paths })]));
    const unit = (file: string, command: string): void =>
      fs.writeFileSync(join(units, file), `[Service]\nExecStart=${command}\n`);
    unit("openclaw-gateway.service", "openclaw gateway run");
    unit("ours.service", `${process.execPath} lockkeeper run mine\nEnvironment=LOCKKEEPER_HOME=${home}`);
    const duels = async (): Promise<readonly Finding[]> => (await look()).filter(({ code }) => code === "service-duel");
    expect(await duels()).toEqual([]);
    fs.symlinkSync("../openclaw-gateway.service", join(wants, "openclaw-gateway.service"));
    expect(await duels()).toMatchObject([
      {
        title: "2 managers start mine",
        evidence: [join(units, "ours.service"), join(units, "openclaw-gateway.service")],
        command: "systemctl --user disable --now openclaw-gateway.service",
      },
    ]);
  });

  test("a clock that went back, a default that no longer exists, damaged settings", async () => {
    const { home, diagnose: look } = await withProfiles("dev");
    await changeRegistry(home, ({ registry, commit }) =>
      commit([...registry.values()].map((each) => ({ ...each, createdAt: "2999-01-01T00:00:00.000Z" }))),
    );
    fs.writeFileSync(homePaths(home).settings, '{"defaultProfile":"gone"}', { mode: 0o600 });
    expect(codes(await look())).toEqual(["default-missing", "clock-went-back"]);
    fs.writeFileSync(homePaths(home).settings, "{");
    expect(codes(await look())).toContain("config-damaged");
  });
});

test.each([
  ["18.20.0", 1],
  ["20.18.3", 1],
  ["20.19.0", 0],
  ["26.1.0", 0],
])("Node %s: %i findings", (version, count) => expect(ofVersion(version)).toHaveLength(count));
