/**
 * Keeper and gateway are both killed, and a server that the gateway had started survives. With the lock or the environment of the
 * run it is the profile's orphan for every command; without them no command ends it. A command that holds the lock of a killed
 * run, to copy or move it, is not an orphan.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import path from "node:path";
import { openProfiles } from "@lockkeeper/profiles";
import { describe, expect, onTestFinished, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, isAlive, killAndWait, ownersOf, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

/** Starts a gateway whose child is the server, without the lock's descriptor; kills keeper and gateway; returns the server. */
async function killBoth({ profiles, create }: ScratchProfiles, prefix: string): Promise<readonly [number, number]> {
  const [node = "", serve = ""] = fixture("serve");
  const script = `${prefix} "$0" "$1" "$2" 3>&- & wait`;
  const { port } = await create({ name: "dev", span: 1, argv: ["sh", "-c", script, node, serve, "{port}"] });
  const { status } = await profiles.start("dev");
  const [server = 0] = ownersOf(port);
  onTestFinished(() => {
    if (isAlive(server)) process.kill(server, "SIGKILL");
  });
  expect(server).not.toBe(status.pid);
  await killAndWait(status.keeperPid, status.pid);
  return [port, server];
}

describe.runIf(process.platform === "linux")("a server whose keeper and gateway were both killed", () => {
  test.each([
    ["in the gateway's group", ""],
    ["in a session of its own", "setsid"],
  ])("is the profile's orphan to every command: %s", (_, prefix) =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const [port, server] = await killBoth(scratch, prefix);
      // A first look must not sweep the record away.
      for (const look of ["first", "second"]) {
        expect([look, (await profiles.list())[0]]).toMatchObject([look, { state: "orphaned", pid: server }]);
      }
      const { blocks, conflicts } = await profiles.ports();
      expect(blocks[0]).toMatchObject({ state: "orphaned", listeners: [{ verdict: "own", pid: server }] });
      expect(conflicts).toEqual([]);
      const codes = (await profiles.diagnose()).map(({ code }) => code);
      expect(codes).toContain("orphaned");
      expect(codes).not.toContain("port-conflict");
      expect(await profiles.start("dev")).toMatchObject({ outcome: "orphaned", status: { pid: server } });
      await expect(profiles.remove("dev")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
      const never = new AbortController().signal;
      const run = profiles.run("dev", { supervised: false, stop: never, force: never });
      await expect(run).rejects.toMatchObject({ code: "LOCK_HELD" });
      expect(isAlive(server)).toBe(true);
      expect(await profiles.stop("dev")).toMatchObject({ outcome: "stopped", status: { state: "stopped" } });
      expect(isAlive(server)).toBe(false);
      expect(ownersOf(port).size).toBe(0);
    }),
  );

  test.each([
    ["by its environment", ""],
    ["by the lock that it inherited", "env -i"],
  ])("is adopted by a supervised run: known %s", (_, prefix) =>
    withProfiles(async (scratch) => {
      const { profiles, create } = scratch;
      const [node = "", serve = ""] = fixture("serve");
      const closes = prefix === "" ? "3>&-" : "";
      const script = `${prefix} "$0" "$1" "$2" ${closes} & wait`;
      const { port } = await create({ name: "dev", span: 1, argv: ["sh", "-c", script, node, serve, "{port}"] });
      const { status } = await profiles.start("dev");
      const [server = 0] = ownersOf(port);
      await killAndWait(status.keeperPid, status.pid);
      const stop = new AbortController();
      const force = new AbortController();
      const run = profiles.run("dev", { supervised: true, stop: stop.signal, force: force.signal });
      await until("it has a keeper again", async () => {
        const { state, keeperPid } = await profiles.status("dev");
        return state === "running" && keeperPid === process.pid;
      });
      expect(await profiles.status("dev")).toMatchObject({ state: "running", pid: server });
      stop.abort();
      expect(await run).toMatchObject({ outcome: "stopped" });
      expect(isAlive(server)).toBe(false);
    }),
  );

  test("is not ended by a copy of the home, whose records name the same run", () =>
    withProfiles(async (scratch) => {
      const [, server] = await killBoth(scratch, "");
      const home = path.join(scratch.folder, "copy");
      await cp(scratch.home, home, { recursive: true });
      const copy = await openProfiles({ home, env: bareEnvironment(home) });
      expect((await copy.list())[0]).toMatchObject({ state: "stopped", pid: null });
      await copy.stop("dev");
      expect(isAlive(server)).toBe(true);
      expect((await scratch.profiles.list())[0]).toMatchObject({ state: "orphaned", pid: server });
    }));

  test("and which carries nothing of the run is never signalled", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const [port, server] = await killBoth(scratch, "env -i setsid");
      expect((await profiles.list())[0]).toMatchObject({ state: "stopped", pid: null });
      await expect(profiles.start("dev")).rejects.toMatchObject({ code: "PORT_IN_USE" });
      await profiles.stop("dev").catch(() => undefined);
      await profiles.restart("dev").catch(() => undefined);
      expect([...ownersOf(port)]).toEqual([server]);
      await killAndWait(server);
    }));
});

describe.runIf(process.platform === "linux")("a command that holds the lock of a killed run", () => {
  test("is not taken for its gateway, and nothing ends it", () =>
    withProfiles(async ({ profiles, create }) => {
      const { paths } = await create({ name: "dev", span: 1, argv: fixture("serve", "{port}") });
      const { status } = await profiles.start("dev");
      await killAndWait(status.keeperPid, status.pid);
      const command = spawn(...asSpawned(fixture("keeps-still", paths.lock, paths.config)), {
        stdio: ["ignore", "pipe", "inherit"],
      });
      onTestFinished(() => void command.kill("SIGKILL"));
      await once(command.stdout, "data");
      expect((await profiles.list())[0]).toMatchObject({ state: "stopped", pid: null, keeperPid: null });
      await expect(profiles.stop("dev")).rejects.toMatchObject({ code: "RECORD_UNVERIFIED" });
      await expect(profiles.restart("dev")).rejects.toMatchObject({ code: "RECORD_UNVERIFIED" });
      await expect(profiles.remove("dev")).rejects.toMatchObject({
        message: expect.stringContaining("another command"),
      });
      expect(command.exitCode ?? command.signalCode).toBe(null);
      command.kill("SIGTERM");
      await once(command, "exit");
      expect(await profiles.start("dev")).toMatchObject({ outcome: "started" });
      // The lock of a keeper that has published nothing yet looks different: it names its profile.
      expect((await profiles.status("dev")).lock.record).toMatchObject({ profile: "dev" });
    }));
});

function asSpawned([program = "", ...args]: readonly string[]): [string, string[]] {
  return [program, args];
}
