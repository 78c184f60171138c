/**
 * Real processes change their manager: the old one stops, ours starts, and the old one returns when ours does not serve.
 */
import { identifyProcess, readListeners } from "@lockkeeper/core/internal";
import type { Profiles, TakeoverPlan } from "@lockkeeper/profiles";
import { openProfiles } from "@lockkeeper/profiles";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { freePort } from "../harness/ports.ts";
import { killQuietly, livingProcesses } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { isAlive, ownersOf, sample } from "../supervision/scratch-profiles.ts";
import { configure, installOpenClaw, startByHand, untilHealthy, writeProgram } from "./openclaw-user.ts";
import type { HandStart } from "./openclaw-user.ts";

async function ownerOf(port: number): Promise<number> {
  const [owner] = ownersOf(port);
  if (owner === undefined) throw new Error(`nobody listens on ${port}`);
  return owner;
}

function addressesOn(port: number): readonly string[] {
  const listeners = readListeners();
  if (listeners === "unknown") throw new Error("this system does not show listeners");
  return listeners
    .filter((listener) => listener.port === port)
    .map(({ address }) => address)
    .sort();
}

interface User {
  readonly profiles: Profiles;
  readonly folder: string;
  readonly port: number;
  readonly old: number;
  readonly stateDir: string;
}

interface Given extends HandStart {
  /** The `openclaw` that our keeper finds. @default "works" */
  readonly ours?: "works" | "broken" | "missing";
  /** OpenClaw's name of the profile. @default the default one */
  readonly profile?: string;
  /** The gateway section of its config, beside mode and port. */
  readonly gateway?: object;
  readonly prepare?: (folder: string, port: number) => void;
}

/** Runs `use` for a user whose own `openclaw` works and runs a gateway by hand. */
async function withAdopted(given: Given, use: (user: User) => Promise<void>): Promise<void> {
  const { ours = "works", profile, gateway = {}, prepare } = given;
  const folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-user-"));
  const home = path.join(folder, ".lockkeeper");
  const found = ours === "missing" ? "/usr/bin:/bin" : installOpenClaw(folder, ours);
  const env = { ...bareEnvironment(home), HOME: folder, PATH: `${path.join(folder, "bin")}:${found}` };
  const profiles = await openProfiles({ home, env });
  const port = await freePort();
  prepare?.(folder, port);
  const stateDir = configure(folder, port, profile === undefined ? ".openclaw" : `.openclaw-${profile}`, gateway);
  const globals = profile === undefined ? [] : ["--profile", profile];
  const old = await startByHand(folder, installOpenClaw(folder, "works"), port, { ...given, globals });
  try {
    await profiles.importGateways("openclaw", profile === undefined ? {} : { name: profile });
    await use({ profiles, folder, port, old, stateDir });
    // A keeper reports its end shortly before it has ended.
    await until("no process of ours is left", async () => (await livingProcesses(home)).length === 0);
  } finally {
    // In good order, so that its helper process ends with it.
    for (const owner of ownersOf(port)) process.kill(owner, "SIGTERM");
    await until("nobody listens any more", () => ownersOf(port).size === 0);
    for (const pid of await livingProcesses(home)) killQuietly(pid);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

test("stop and restart leave a gateway alone that somebody else runs", async () => {
  await withAdopted({}, async ({ profiles, old }) => {
    expect(await profiles.status("openclaw")).toMatchObject({ state: "external", pid: old, health: "ok" });
    await expect(profiles.stop("openclaw")).rejects.toMatchObject({
      code: "RECORD_UNVERIFIED",
      hint: "Bring it under a keeper first: lockkeeper takeover openclaw",
    });
    await expect(profiles.restart("openclaw")).rejects.toMatchObject({ code: "RECORD_UNVERIFIED" });
    expect(await profiles.start("openclaw")).toMatchObject({ outcome: "already-running", status: { pid: old } });
    await expect(profiles.clone("openclaw", "copy")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
    expect(isAlive(old)).toBe(true);
  });
});

test("without consent nothing is touched; with it our keeper has the gateway, and never are there two", async () => {
  await withAdopted({ env: { ANTHROPIC_API_KEY: "sk-secret" } }, async ({ profiles, port, old }) => {
    const plans: TakeoverPlan[] = [];
    const declined = await profiles.takeOver("openclaw", { consent: (plan) => plans.push(plan) === 0 });
    expect(declined).toMatchObject({ outcome: "declined", status: { state: "external", pid: old } });
    expect(plans[0]).toMatchObject({
      profile: "openclaw",
      port,
      old: { kind: "process", pid: old, enabled: "no" },
      leftBehind: ["ANTHROPIC_API_KEY"],
      grave: [],
    });
    expect(JSON.stringify(plans)).not.toContain("sk-secret");
    expect(plans[0]?.steps[0]).toContain(`SIGTERM to pid ${old}`);
    expect(isAlive(old)).toBe(true);

    const stopSampling = sample(() => ownersOf(port).size);
    const { outcome, status } = await profiles.takeOver("openclaw", { consent: () => true });
    expect((await stopSampling()).most).toBe(1);
    expect(outcome).toBe("taken-over");
    expect(status).toMatchObject({ state: "running", port });
    expect(status.keeperPid).not.toBeNull();
    expect(status.pid).not.toBe(old);
    expect(isAlive(old)).toBe(false);
    expect(await profiles.takeOver("openclaw", { consent: () => false })).toMatchObject({ outcome: "already-ours" });
    expect(await profiles.stop("openclaw")).toMatchObject({ outcome: "stopped" });
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });
});

test("a reason to refuse ours is found while the old one serves: no program, a config that is broken by now", async () => {
  await withAdopted({ ours: "missing" }, async ({ profiles, old, stateDir }) => {
    const asked: TakeoverPlan[] = [];
    const attempt = (): Promise<unknown> =>
      profiles.takeOver("openclaw", { consent: (plan) => asked.push(plan) > 0 }).catch((thrown: unknown) => thrown);
    expect(await attempt()).toMatchObject({ code: "COMMAND_NOT_FOUND" });
    writeFileSync(path.join(stateDir, "openclaw.json"), "{\n  gateway: { mode: local } }");
    installOpenClaw(path.dirname(stateDir), "works");
    const config = path.join(stateDir, "openclaw.json");
    writeProgram(path.join(path.dirname(stateDir), "bin/openclaw"), "exit 1");
    expect(await attempt()).toMatchObject({
      code: "CONFIG_DAMAGED",
      message: expect.stringContaining(`${config}:2:20: invalid character 'l'`) as string,
    });
    expect(asked).toEqual([]);
    expect(isAlive(old)).toBe(true);
  });
});

test("a config that uses variables which ours would lack needs more than a yes", async () => {
  const gateway = { auth: { mode: "token", token: "${GATE_TOKEN}" } };
  await withAdopted({ gateway, env: { GATE_TOKEN: "t" } }, async ({ profiles, old }) => {
    const plans: TakeoverPlan[] = [];
    await profiles.takeOver("openclaw", { consent: (plan) => plans.push(plan) === 0 });
    expect(plans[0]?.grave.join()).toContain("names variables that the gateway will not have: GATE_TOKEN");
    expect(plans[0]?.leftBehind).toEqual(["GATE_TOKEN"]);
    expect(isAlive(old)).toBe(true);
  });
});

test("when ours does not serve, the old gateway of that very profile runs again, with its own variables", async () => {
  await withAdopted(
    { ours: "broken", profile: "dev", env: { MINE: "kept" } },
    async ({ profiles, port, old, stateDir }) => {
      const error: unknown = await profiles.takeOver("dev", { consent: () => true }).catch((thrown: unknown) => thrown);
      const back = await ownerOf(port);
      expect(error).toMatchObject({
        code: "GATEWAY_EXITED",
        evidence: expect.arrayContaining([
          `went back: the old gateway runs again (pid ${back}, port ${port}) and is healthy`,
        ]) as string[],
      });
      await untilHealthy(port);
      expect(isAlive(old)).toBe(false);
      expect(await profiles.status("dev")).toMatchObject({ state: "external", pid: back, keeperPid: null });
      expect(readFileSync(`/proc/${back}/environ`, "utf8")).toContain("MINE=kept\0");
      // It came from `--profile`, which no environment shows: it must not have become the default profile's.
      expect(JSON.parse(readFileSync(path.join(stateDir, "stand-in.json"), "utf8"))).toEqual({ pid: back, port });
      expect(await readdir(path.dirname(stateDir))).not.toContain(".openclaw");
    },
  );
});

test("ours would listen more widely than the old one, whose arguments nobody sees: refused while it serves", async () => {
  await withAdopted({ gateway: { bind: "lan" }, flags: ["--bind", "loopback"] }, async ({ profiles, old }) => {
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "LISTENER_MISMATCH",
      message: expect.stringContaining("ours would listen on 0.0.0.0, while the old one listens on") as string,
    });
    expect(isAlive(old)).toBe(true);
  });
});

test("when ours listens more widely than the old one, the old one returns and is no wider than before", async () => {
  await withAdopted({ flags: ["--bind", "loopback"] }, async ({ profiles, folder, port }) => {
    const before = addressesOn(port);
    const error: unknown = await profiles
      .takeOver("openclaw", {
        consent: () => {
          // Changed after the plan was made.
          configure(folder, port, ".openclaw", { bind: "lan" });
          return true;
        },
      })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "LISTENER_MISMATCH",
      message: expect.stringContaining("ours listens on 0.0.0.0, while the old one listens on") as string,
    });
    expect(await profiles.status("openclaw")).toMatchObject({ state: "external", pid: await ownerOf(port) });
    expect(addressesOn(port)).toEqual(before);
  });
});

test("an unverified process is never signalled", async () => {
  await withAdopted({}, async ({ profiles, old, stateDir, port }) => {
    const folder = path.join(stateDir, "tmp", `openclaw-${process.getuid?.() ?? 0}`);
    const file = path.join(folder, "gateway.state.lock");
    const record = readFileSync(file, "utf8");
    // The record names another living process: this listener is no gateway of the profile, and that process serves
    // nothing.
    const startTime = identifyProcess(process.pid)?.startTicks;
    writeFileSync(file, JSON.stringify({ pid: process.pid, startTime, port, stateDir }));
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "RECORD_UNVERIFIED",
    });
    // Its title says what it is, but not whose.
    rmSync(file);
    await expect(profiles.takeOver("openclaw", { consent: () => true })).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    expect(isAlive(old)).toBe(true);
    writeFileSync(file, record);
  });
});

const UNIT = "openclaw-gateway.service";

function prepareUnit(folder: string): void {
  const file = path.join(folder, "gateway.env");
  writeFileSync(file, "FROM_FILE=1\n", { mode: 0o600 });
  const text = `[Service]
ExecStart=${path.join(folder, "bin-works/openclaw")} gateway run --port 1 --bind loopback
Environment=TELEGRAM_BOT_TOKEN=1:abc HOME=${folder}
EnvironmentFile=-${file}
`;
  writeProgram(path.join(folder, ".config/systemd/user", UNIT), text);
}

test("a unit is stopped by its own manager and kept from returning; its arguments and its file of variables are taken over", async () => {
  const env = { TELEGRAM_BOT_TOKEN: "1:abc", FROM_FILE: "1", INVOCATION_ID: "x" };
  const given: Given = { prepare: prepareUnit, env, gateway: { bind: "lan" }, flags: ["--bind", "loopback"] };
  await withAdopted(given, async ({ profiles, folder, port, old }) => {
    // A stand-in for systemd: it says that the process belongs to the unit, and stops it on request.
    writeProgram(
      path.join(folder, "bin/systemctl"),
      `echo "$*" >> "${folder}/asked"
case "$*" in
  "--user "*"show --property=MainPID --value ${UNIT}") echo ${old} ;;
  "--user "*"is-enabled ${UNIT}") echo enabled ;;
  "--user "*"stop --no-block ${UNIT}") kill ${old} ;;
esac`,
    );
    const plans: TakeoverPlan[] = [];
    const { outcome, status } = await profiles.takeOver("openclaw", { consent: (plan) => plans.push(plan) > 0 });
    expect(outcome).toBe("taken-over");
    expect(plans[0]).toMatchObject({
      old: { kind: "unit", name: UNIT, pid: old, enabled: "yes" },
      leftBehind: ["TELEGRAM_BOT_TOKEN"],
    });
    await until("the old gateway is gone", () => !isAlive(old));
    expect(await profiles.status("openclaw")).toMatchObject({ state: "running", pid: await ownerOf(port) });
    expect(readFileSync(`/proc/${status.pid}/environ`, "utf8")).toContain("FROM_FILE=1\0");
    const asked = readFileSync(path.join(folder, "asked"), "utf8").trim().split("\n");
    expect(asked.map((line) => line.split(/ (?=show|is-enabled|stop|disable)/)[1])).toEqual([
      `show --property=MainPID --value ${UNIT}`,
      `is-enabled ${UNIT}`,
      `stop --no-block ${UNIT}`,
      `disable ${UNIT}`,
    ]);
    await profiles.stop("openclaw");
  });
});
