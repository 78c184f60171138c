/** Files of a home that are damaged while a gateway runs: no command calls it stopped, and it can be stopped. */
import { execFileSync } from "node:child_process";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../harness/cli.ts";
import { gatewaysOf, isAlive, killAndWait, withProfiles } from "./scratch-profiles.ts";

describe("a run record that lacks the running gateway", () => {
  const damages: readonly (readonly [string, (file: string) => unknown])[] = [
    ["missing", (file) => rm(file)],
    ["garbage", (file) => writeFile(file, "not JSON {")],
    ["a FIFO", async (file) => (await rm(file), execFileSync("mkfifo", ["-m", "600", file]))],
  ];
  test.each(damages)("%s: the lock decides, for status, start and stop", (_, damage) =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1 });
      const { status } = await profiles.start("api");
      await damage(path.join(home, "run", "api.json"));
      expect(await profiles.status("api")).toMatchObject({ state: "running", pid: status.pid, health: "ok" });
      const again = await profiles.start("api");
      expect([again.outcome, again.status.pid]).toEqual(["already-running", status.pid]);
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect(gatewaysOf(home, "")).toEqual([]);
    }),
  );

  test("its keeper is killed too: the orphan is recognized, and ended", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "api", span: 1 });
      const { status } = await profiles.start("api");
      await rm(path.join(home, "run", "api.json"));
      await killAndWait(status.keeperPid);
      expect((await profiles.status("api")).state).toBe("orphaned");
      expect((await profiles.stop("api")).outcome).toBe("stopped");
      expect(gatewaysOf(home, "")).toEqual([]);
    }));
});

describe("a registry that cannot be read", () => {
  test("does not prevent the stop of a gateway; protection is read from the last good copy", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1 });
      await create({ name: "prod", span: 1, protected: true });
      await profiles.start("dev");
      await profiles.start("prod");
      const registry = path.join(home, "registry.json");
      const whole = await readFile(registry);
      await writeFile(registry, "{");
      expect(await runCli(home, ["stop", "dev"])).toMatchObject({ status: 0, stdout: "dev: stopped\n" });
      expect(await runCli(home, ["stop", "prod"])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("prod is protected"),
      });
      await rm(path.join(home, "registry.last-good.json"));
      expect(await runCli(home, ["stop", "prod"])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("whether prod is protected cannot be read"),
      });
      expect((await runCli(home, ["stop", "prod", "--confirm", "prod"])).status).toBe(0);
      await writeFile(registry, whole);
    }));
});

describe("a registry that was put back to an older one", () => {
  test("does not name a running profile any more: doctor does, and it can be stopped", () =>
    withProfiles(async ({ create, home, profiles }) => {
      await create({ name: "dev", span: 1 });
      const registry = path.join(home, "registry.json");
      const older = await readFile(registry, "utf8");
      await create({ name: "web", span: 1 });
      const { status } = await profiles.start("web");
      await writeFile(registry, older);
      const found = (await profiles.diagnose()).filter(({ code }) =>
        ["run-unregistered", "folder-unknown"].includes(code),
      );
      expect(found).toMatchObject([{ code: "run-unregistered", command: "lockkeeper stop web" }]);
      const taken = await runCli(home, ["create", "web"]);
      expect(taken).toMatchObject({ status: 73, stderr: expect.stringMatching(/hint: .*: lockkeeper stop web\n/) });
      const stopped = await runCli(home, ["stop", "web"]);
      expect(stopped).toMatchObject({ status: 0, stdout: "web: stopped\n" });
      expect([status.pid, status.keeperPid].filter(isAlive)).toEqual([]);
      expect((await runCli(home, ["stop", "web"])).status).toBe(4);
      const restore = `cp -p ${path.join(home, "registry.last-good.json")} ${registry}`;
      expect(await profiles.diagnose()).toContainEqual(
        expect.objectContaining({ code: "folder-unknown", command: restore }),
      );
      expect((await runCli(home, ["create", "web"])).stderr).toContain(
        `hint: Restore the last good copy: ${restore}\n`,
      );
      await copyFile(path.join(home, "registry.last-good.json"), registry);
      expect(await runCli(home, ["list", "--quiet"])).toMatchObject({ status: 0, stdout: "dev\nweb\n" });
    }));
});

describe("damaged settings", () => {
  test("are reported by commands that need them, and change nothing for a named profile", () =>
    withProfiles(async ({ create, home }) => {
      await create({ name: "dev", span: 1 });
      const settings = path.join(home, "config.json");
      await writeFile(settings, "{", { mode: 0o600 });
      expect((await runCli(home, ["start", "dev"])).status).toBe(0);
      expect((await runCli(home, ["status", "dev"])).status).toBe(0);
      expect((await runCli(home, ["use", "dev"])).status).toBe(65);
      expect((await runCli(home, ["status"])).status).toBe(65);
      expect((await runCli(home, ["status"], { env: { LOCKKEEPER_PROFILE: "dev" } })).status).toBe(0);
      expect((await runCli(home, ["stop", "dev"])).status).toBe(0);
      expect(await readFile(settings, "utf8")).toBe("{");
      await rm(settings);
    }));

  test("hide the default from a list, and hinder no `down` and no result of a stop", () =>
    withProfiles(async ({ create, home }) => {
      await create({ name: "dev", span: 1 });
      await create({ name: "web", span: 1, after: ["dev"] });
      const settings = path.join(home, "config.json");
      await writeFile(settings, "{", { mode: 0o600 });
      expect((await runCli(home, ["start", "web"])).status).toBe(0);
      const list = await runCli(home, ["list"]);
      expect(list).toMatchObject({ status: 0, stderr: expect.stringContaining("the settings are damaged") as string });
      expect(list.stdout).toMatch(/ dev .*\n.* web /);
      // A note about its follower is beside the result.
      const stopped = await runCli(home, ["stop", "dev"]);
      expect(stopped).toMatchObject({ status: 0, stdout: expect.stringContaining("dev: stopped") as string });
      expect(await runCli(home, ["down"])).toMatchObject({
        status: 0,
        stdout: expect.stringContaining("web: stopped") as string,
      });
      await rm(settings);
    }));
});

describe("a fault that keeps a built-in gateway from starting", () => {
  test("a damaged config/gateway.json is reported once and not tried again", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1 });
      await writeFile(path.join(home, "profiles", "dev", "config/gateway.json"), "{", { mode: 0o600 });
      await expect(profiles.start("dev")).rejects.toMatchObject({
        code: "GATEWAY_EXITED",
        evidence: [expect.stringContaining("not JSON")],
      });
      expect(await profiles.status("dev")).toMatchObject({ state: "failed", restarts: 0 });
    }));

  test("a damaged token is reported before anything is started", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1 });
      await writeFile(path.join(home, "profiles", "dev", "token"), "short", { mode: 0o600 });
      await expect(profiles.start("dev")).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: expect.stringContaining("expected a token of 32 to 256 characters"),
      });
      expect(await profiles.status("dev")).toMatchObject({ state: "stopped", restarts: 0, lastExit: null });
    }));
});
