import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import {
  countGateways,
  fixture,
  gatewaysOf,
  isAlive,
  killAndWait,
  ownersOf,
  sample,
  withProfiles,
} from "./scratch-profiles.ts";

describe.concurrent("stop", () => {
  test("returns when the tree is gone and the port free, and succeeds when nothing runs", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const { status } = await profiles.start("api");
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect([isAlive(status.pid), isAlive(status.keeperPid), ownersOf(port).size]).toEqual([false, false, 0]);
      expect(gatewaysOf(home, "serve.js")).toEqual([]);
      expect(await profiles.status("api")).toMatchObject({ state: "stopped", pid: null, lock: { verdict: "free" } });
      expect((await profiles.stop("api")).outcome).toBe("already-stopped");
    }));

  test("kills a tree that ignores SIGTERM, including helpers in groups of their own, after the deadline", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 1, end: "all", argv: fixture("stubborn", "{port}") });
      await profiles.start("api");
      expect((await profiles.stop("api", { timeoutMs: 300 })).outcome).toBe("killed");
      expect(gatewaysOf(home, "")).toEqual([]);
      expect(ownersOf(port).size).toBe(0);
    }));

  test("ends an orphan with its helpers, and leaves no trace of it", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const { status } = await profiles.start("api");
      await killAndWait(status.keeperPid);
      expect((await profiles.list())[0]).toMatchObject({ state: "orphaned", pid: status.pid, keeperPid: null });
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect(gatewaysOf(home, "")).toEqual([]);
      expect(await profiles.status("api")).toMatchObject({
        state: "stopped",
        reason: "the orphan was stopped",
        lock: { verdict: "free" },
      });
    }));

  test("fails while somebody holds the port, and names the holder (openclaw/openclaw#72942)", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      const pidFile = path.join(folder, "holder.pid");
      const { port } = await create({ name: "api", span: 1, argv: fixture("escape", "{port}", pidFile) });
      await profiles.start("api");
      await until("the socket was handed on", async () => (await readFile(pidFile, "utf8").catch(() => "")) !== "");
      const holder = Number(await readFile(pidFile, "utf8"));
      try {
        await expect(profiles.stop("api")).rejects.toMatchObject({
          code: "STOP_INCOMPLETE",
          evidence: [expect.stringContaining(`127.0.0.1:${port} is held by pid ${holder}`)],
        });
        expect(isAlive(holder), "a process that cannot be known as ours is never signalled").toBe(true);
      } finally {
        await killAndWait(holder);
      }
    }));

  test("works without a registry, from the keeper's record", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      await profiles.start("api");
      const registry = path.join(home, "registry.json");
      const whole = await readFile(registry);
      await writeFile(registry, whole.subarray(0, whole.length / 2));
      await rm(path.join(home, "registry.last-good.json"));
      await expect(profiles.list()).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect(gatewaysOf(home, "")).toEqual([]);
      await writeFile(registry, whole);
      await chmod(registry, 0o600);
    }));

  test("signals only the recorded process itself, whatever the record says (openclaw/openclaw#140162)", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const { status } = await profiles.start("api");
      const file = path.join(home, "run", "api.json");
      const record = JSON.parse(await readFile(file, "utf8"));
      await profiles.stop("api");
      const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
      await once(bystander, "spawn");
      try {
        for (const pid of [bystander.pid, 1, process.pid, process.ppid, 0]) {
          for (const victim of ["keeper", "gateway"]) {
            const forged = { ...record, state: "running", [victim]: { ...record.keeper, ...record.gateway, pid } };
            await writeFile(file, JSON.stringify(forged));
            const { outcome, state } = await profiles.stop("api").then(
              (result) => ({ outcome: result.outcome, state: result.status.state }),
              (error: { code: string }) => ({ outcome: error.code, state: undefined }),
            );
            expect(["already-stopped", "RECORD_UNVERIFIED"]).toContain(outcome);
            expect(state === undefined || state === "stopped").toBe(true);
          }
        }
        expect(bystander.exitCode ?? bystander.signalCode).toBe(null);
        expect(isAlive(bystander.pid ?? null)).toBe(true);
      } finally {
        bystander.kill("SIGKILL");
      }
      expect(isAlive(status.pid)).toBe(false);
    }));
});

describe.concurrent("restart", () => {
  test("puts an orphan under a keeper again, and no sample shows two gateways", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const { status: before } = await profiles.start("api");
      await killAndWait(before.keeperPid);
      const finish = sample(() => countGateways(home, "serve.js"));
      const { status } = await profiles.restart("api");
      const { samples, most } = await finish();
      expect(status).toMatchObject({ state: "running" });
      expect(isAlive(status.keeperPid)).toBe(true);
      expect(status.pid).not.toBe(before.pid);
      expect(most).toBe(1);
      expect(samples).toBeGreaterThan(3);
    }));

  test("starts a stopped profile", () =>
    withProfiles(async ({ profiles, create }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      expect(await profiles.restart("api")).toMatchObject({ outcome: "restarted", status: { state: "running" } });
    }));

  test("works for four at once, and no sample shows two gateways", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      await profiles.start("api");
      const finish = sample(() => countGateways(home, "serve.js"));
      const runs = await Promise.all(Array.from({ length: 4 }, () => runCli(home, ["restart", "api"])));
      expect((await finish()).most).toBe(1);
      expect(runs.some(({ status }) => status === 0)).toBe(true);
      expect(await profiles.start("api")).toMatchObject({ status: { state: "running" } });
    }));
});
