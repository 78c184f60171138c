import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import { holdPort, profilePlace } from "../harness/ports.ts";
import { until } from "../harness/until.ts";
import { fixture, gatewaysOf, isAlive, killAndWait, mustPid, ownersOf, withProfiles } from "./scratch-profiles.ts";

describe.concurrent("start", () => {
  test("gives one gateway and eight correct answers to eight starts at once", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const results = await Promise.all(Array.from({ length: 8 }, () => profiles.start("api")));
      expect(results.filter(({ outcome }) => outcome === "started")).toHaveLength(1);
      expect(results.filter(({ outcome }) => outcome === "already-running")).toHaveLength(7);
      const [gateway, ...others] = gatewaysOf(home, "serve.js");
      expect(others).toEqual([]);
      expect(results.map(({ status }) => status.pid)).toEqual(results.map(() => gateway));
      expect([...ownersOf(port)]).toEqual([gateway]);
    }));

  test.each(["gateway", "keeper", "both"] as const)("leads to one running gateway after SIGKILL of %s", (victim) =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}") });
      const { status: before } = await profiles.start("api");
      const victims = { gateway: [before.pid], keeper: [before.keeperPid], both: [before.keeperPid, before.pid] };
      await killAndWait(...victims[victim]);
      const { outcome, status } = await profiles.start("api");
      if (victim === "keeper") {
        expect({ outcome, state: status.state, pid: status.pid }).toEqual({
          outcome: "orphaned",
          state: "orphaned",
          pid: before.pid,
        });
      } else {
        expect(status.state).toBe("running");
        expect(status.pid).not.toBe(before.pid);
      }
      expect(gatewaysOf(home, "serve.js")).toEqual([status.pid]);
    }),
  );

  test("names the holder of the port, spawns nothing and retries nothing (openclaw/openclaw#28191)", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      const runs = path.join(folder, "runs");
      const { port } = await create({ name: "api", span: 1, argv: fixture("crash", runs, "{port}") });
      const stranger = await holdPort(port);
      try {
        await expect(profiles.start("api")).rejects.toMatchObject({
          name: "GatewayLockError",
          code: "PORT_IN_USE",
          message: expect.stringContaining(`already listening on ws://127.0.0.1:${port}`),
          evidence: [expect.stringContaining(`127.0.0.1:${port} is held by pid ${process.pid}`)],
        });
        expect(await profiles.status("api")).toMatchObject({ state: "blocked", pid: null, keeperPid: null });
        await expect(readFile(runs)).rejects.toMatchObject({ code: "ENOENT" });
      } finally {
        await stranger.release();
      }
    }));

  test("gives up after five crashes and shows the child's last lines; a person's start tries again", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      const runs = path.join(folder, "runs");
      await create({ name: "api", span: 1, argv: fixture("crash", runs) });
      for (const round of [1, 2]) {
        await expect(profiles.start("api")).rejects.toMatchObject({
          code: "GATEWAY_EXITED",
          message: expect.stringContaining("code 3"),
          evidence: expect.arrayContaining([expect.stringContaining("config line 7: unknown key colour")]),
        });
        expect(await profiles.status("api")).toMatchObject({ state: "failed", lastExit: { code: 3 }, keeperPid: null });
        const started = (await readFile(runs, "utf8")).trim().split("\n");
        expect(started.length).toBeLessThanOrEqual(5 * round);
      }
    }));

  test("says which program is missing and which PATH was searched", () =>
    withProfiles(async ({ profiles, create }) => {
      await create({ name: "api", span: 1, argv: ["no-such-program", "{port}"] });
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "COMMAND_NOT_FOUND",
        message: expect.stringMatching(/no-such-program.*PATH searched: \//),
      });
      expect(await profiles.status("api")).toMatchObject({ state: "failed", pid: null });
    }));

  test("says at the deadline that it is still starting, not that it failed (openclaw/openclaw#74281)", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("silent") });
      await expect(profiles.start("api", { timeoutMs: 1_000 })).rejects.toMatchObject({ code: "STILL_STARTING" });
      await until("the gateway was spawned", async () => (await profiles.status("api")).pid !== null);
      const first = await profiles.status("api");
      expect(first).toMatchObject({ state: "starting", restarts: 0 });
      await expect(profiles.start("api", { timeoutMs: 100 })).rejects.toMatchObject({ code: "STILL_STARTING" });
      expect(gatewaysOf(home, "silent.js")).toEqual([first.pid]);
      const { status, stderr } = await runCli(home, ["start", "api", "--timeout", "100ms"]);
      expect({ status, stderr }).toMatchObject({ status: 5, stderr: expect.stringContaining("still starting") });
    }));

  test("calls a silent gateway unresponsive and replaces it only on request (openclaw/openclaw#57115)", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}"), health: "/" });
      const { status: before } = await profiles.start("api");
      process.kill(mustPid(before.pid), "SIGSTOP");
      await expect(profiles.start("api")).rejects.toMatchObject({
        code: "GATEWAY_UNHEALTHY",
        message: expect.stringContaining(`pid ${before.pid}`),
        hint: expect.stringContaining("--replace"),
      });
      expect(gatewaysOf(home, "serve.js")).toEqual([before.pid]);
      const { outcome, status } = await profiles.start("api", { replace: true });
      expect({ outcome, state: status.state }).toEqual({ outcome: "started", state: "running" });
      expect(gatewaysOf(home, "serve.js")).toEqual([status.pid]);
      expect(status.pid).not.toBe(before.pid);
    }));

  test("leaves an answering gateway alone, even when it may be replaced", () =>
    withProfiles(async ({ profiles, create }) => {
      await create({ name: "api", span: 1, argv: fixture("serve", "{port}"), health: "/" });
      const { status: before } = await profiles.start("api");
      const { outcome, status } = await profiles.start("api", { replace: true });
      expect({ outcome, pid: status.pid }).toEqual({ outcome: "already-running", pid: before.pid });
    }));

  test("uses another port for one run: kept across a crash, gone at the next start, never another profile's", () =>
    withProfiles(async ({ profiles, create }) => {
      const other = await create({ name: "other", span: 10, argv: fixture("serve", "{port}") });
      const api = await create({ name: "api", span: 2, argv: fixture("serve", "{port}"), extraPorts: { metrics: 1 } });
      await expect(profiles.start("api", { port: other.port + 9 })).rejects.toMatchObject({
        code: "PORTS_OVERLAP",
        message: expect.stringContaining("other"),
      });
      await expect(profiles.start("api", { port: 65_535 })).rejects.toMatchObject({ code: "PORT_INVALID" });
      const port = profilePlace(2);
      const { status } = await profiles.start("api", { port });
      expect(status).toMatchObject({ port, ports: { gateway: port, metrics: port + 1 } });
      await killAndWait(status.pid);
      await until("it runs again", async () => {
        const { state, pid } = await profiles.status("api");
        return state === "running" && pid !== status.pid;
      });
      expect((await profiles.status("api")).port).toBe(port);
      await profiles.stop("api");
      expect((await profiles.start("api")).status.port).toBe(api.port);
    }));

  test("ends the helpers of a killed run before the next one", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1, end: "all", argv: fixture("stubborn", "{port}") });
      const { status } = await profiles.start("api");
      const helper = gatewaysOf(home, "").filter((pid) => pid !== status.pid && pid !== status.keeperPid);
      expect(helper).toHaveLength(1);
      await killAndWait(status.keeperPid, status.pid);
      await profiles.start("api");
      expect(isAlive(helper[0] ?? null)).toBe(false);
      await profiles.stop("api", { timeoutMs: 200 });
    }));

  test("does not count a stranger's file in the working directory", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      const cwd = path.join(folder, "project");
      await mkdir(cwd);
      await writeFile(path.join(cwd, ".env"), "NODE_OPTIONS=--no-such-option\n");
      await create({ name: "api", span: 1, cwd, argv: fixture("serve", "{port}") });
      expect((await profiles.start("api")).outcome).toBe("started");
    }));
});
