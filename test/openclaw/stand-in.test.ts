import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readListeners } from "@lockkeeper/core/internal";
import { describe, expect, test } from "vitest";
import { NO_IPV6 } from "../harness/ports.ts";
import { until } from "../harness/until.ts";
import { gatewaysOf, isAlive, mustPid, ownersOf, sample, withProfiles } from "../supervision/scratch-profiles.ts";
import type { ScratchProfiles } from "../supervision/scratch-profiles.ts";

const standIn = fileURLToPath(new URL("fixtures/openclaw-stand-in.js", import.meta.url));

/** The stand-in changes its title, and so its command line; its executable does not change. */
const create = (
  { create: make }: ScratchProfiles,
  name: string,
  env: Record<string, string> = {},
): ReturnType<typeof make> => make({ name, kind: "openclaw", argv: [process.execPath, standIn], env });

describe.concurrent("a profile of kind openclaw", () => {
  test("gives two gateways their own config, state, workspace and 120 ports each, and leaves ~/.openclaw alone", () =>
    withProfiles(async (scratch) => {
      const { profiles, folder } = scratch;
      for (const name of ["dev", "prod"]) {
        const { port, span, ports, paths } = await create(scratch, name);
        expect({ span, ports }).toMatchObject({
          span: 120,
          ports: { gateway: port, "browser-control": port + 2, cdp: port + 11 },
        });
        const config = JSON.parse(await readFile(paths.config, "utf8"));
        expect(config).toEqual({
          gateway: {
            mode: "local",
            port,
            bind: "loopback",
            auth: { mode: "token", token: (await readFile(path.join(paths.profile, "token"), "utf8")).trim() },
          },
          agents: { defaults: { workspace: path.join(paths.profile, "workspace") } },
        });
      }
      await Promise.all([profiles.start("dev"), profiles.start("prod")]);
      for (const { name, state, health, pid, paths, port } of await profiles.list()) {
        expect({ name, state, health }).toEqual({ name, state: "running", health: "ok" });
        const seen = JSON.parse(await readFile(path.join(paths.state, "stand-in.json"), "utf8"));
        expect(seen).toEqual({ pid, port });
      }
      expect(existsSync(path.join(folder, ".openclaw"))).toBe(false);
    }));

  if (NO_IPV6 !== undefined) process.stdout.write(`skipped: a pair of listeners: ${NO_IPV6}\n`);
  test.skipIf(NO_IPV6 !== undefined)(
    "recognizes its pair of listeners on 127.0.0.1 and ::1 as its own (openclaw/openclaw#116579)",
    () =>
      withProfiles(async (scratch) => {
        const { port } = await create(scratch, "dev");
        const { status } = await scratch.profiles.start("dev");
        const listeners = readListeners();
        const here = listeners === "unknown" ? [] : listeners.filter((listener) => listener.port === port);
        expect(here.map(({ address }) => address).sort()).toEqual(["127.0.0.1", "::1"]);
        expect([...ownersOf(port)]).toEqual([status.pid]);
        expect((await scratch.profiles.ports()).conflicts).toEqual([]);
      }),
  );

  test("shows why it refused a config without gateway.mode, and starts once that is fixed", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const { paths } = await create(scratch, "dev");
      const config = await readFile(paths.config, "utf8");
      await writeFile(paths.config, "{}");
      await expect(profiles.start("dev")).rejects.toMatchObject({
        code: "GATEWAY_EXITED",
        evidence: expect.arrayContaining([expect.stringContaining("set gateway.mode=local")]),
      });
      await writeFile(paths.config, config);
      expect((await profiles.start("dev")).outcome).toBe("started");
    }));

  test("has started when it says so itself, not as soon as it answers", () =>
    withProfiles(async (scratch) => {
      const { port } = await create(scratch, "dev", { STAND_IN_SETTLE_MS: "1500" });
      await scratch.profiles.start("dev");
      expect((await fetch(`http://127.0.0.1:${port}/startupz`)).status).toBe(200);
    }));

  test("shows a config that does not parse with file, line and column, whatever the gateway prints", () =>
    withProfiles(async (scratch) => {
      const { paths } = await create(scratch, "dev");
      await writeFile(paths.config, "{\n  // mine\n  gateway: { mode: local },\n}");
      await expect(scratch.profiles.start("dev")).rejects.toMatchObject({
        code: "GATEWAY_EXITED",
        message: expect.stringContaining(`${paths.config}:3:20: invalid character 'l'`),
        hint: "Mend it, then: lockkeeper exec dev -- openclaw config validate",
      });
    }));

  test("is starting while it boots, however long, and is not restarted for that (openclaw/openclaw#119958)", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      await create(scratch, "dev", { STAND_IN_BOOT_MS: "4000" });
      await expect(profiles.start("dev", { timeoutMs: 500 })).rejects.toMatchObject({ code: "STILL_STARTING" });
      let early = await profiles.status("dev");
      await until("the gateway was spawned", async () => (early = await profiles.status("dev")).pid !== null);
      expect(early.state).toBe("starting");
      const { status } = await profiles.start("dev");
      expect(status).toMatchObject({ state: "running", pid: early.pid });
      expect((await profiles.status("dev")).restarts).toBe(0);
    }));

  test("may drain for minutes: progress is shown, the wait can be ended, and a second stop shortens it", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      await create(scratch, "dev", { STAND_IN_DRAIN_MS: "300000" });
      const { status } = await profiles.start("dev");
      const told: string[] = [];
      const patience = new AbortController();
      const stopped = profiles.stop("dev", { signal: patience.signal, onProgress: (text) => told.push(text) });
      const ended = stopped.catch((error: unknown) => error);
      await until("progress was shown", () => told.some((text) => /\d s of 330 s/.test(text)));
      expect(await profiles.status("dev")).toMatchObject({ state: "stopping", pid: status.pid });
      patience.abort();
      expect(await ended).toMatchObject({ code: "ABORTED" });
      expect((await profiles.stop("dev", { timeoutMs: 0 })).outcome).toBe("killed");
      await until("its helper has ended too", () => gatewaysOf(home, "").length === 0);
    }));

  test("stays one process when it restarts itself: it was told not to leave a successor", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      // Longer than a look at all sockets takes on a busy machine.
      const { port } = await create(scratch, "dev", { STAND_IN_BOOT_MS: "3000" });
      const { status } = await profiles.start("dev");
      const finish = sample(() => ownersOf(port).size);
      process.kill(mustPid(status.pid), "SIGUSR1");
      await until("its port is closed", () => ownersOf(port).size === 0);
      await until("its port is open again", () => ownersOf(port).size === 1);
      expect((await finish()).most).toBe(1);
      expect(await profiles.start("dev")).toMatchObject({ outcome: "already-running", status: { pid: status.pid } });
    }));

  test("is adopted when it leaves a detached successor anyway: never two owners (openclaw/openclaw#65668)", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const { port } = await create(scratch, "dev", { STAND_IN_ALWAYS_RESPAWN: "1", STAND_IN_BOOT_MS: "500" });
      const { status: before } = await profiles.start("dev");
      const finish = sample(() => ownersOf(port).size);
      process.kill(mustPid(before.pid), "SIGUSR1");
      await until("a successor is kept", async () => {
        const { state, pid } = await profiles.status("dev");
        return state === "running" && pid !== before.pid;
      });
      const { samples, most } = await finish();
      expect(most).toBe(1);
      expect(samples).toBeGreaterThan(1);
      const after = await profiles.status("dev");
      expect(after).toMatchObject({ restarts: 0, keeperPid: before.keeperPid, health: "ok" });
      expect([...ownersOf(port)]).toEqual([after.pid]);
      expect((await profiles.stop("dev")).outcome).toBe("stopped");
      expect(isAlive(after.pid)).toBe(false);
    }));
});
