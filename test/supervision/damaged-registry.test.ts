/**
 * A registry that cannot be read while gateways run: what looks and what stops goes on with what is known without it, and says so; what
 * would change a profile is refused; and nothing is written in its place.
 */
import { spawnSync } from "node:child_process";
import { chmod, chown, copyFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY, runCli } from "../harness/cli.ts";
import { isAlive, withProfiles } from "./scratch-profiles.ts";

type Damage = (text: string) => string;

const newer: Damage = (text) => text.replace('"schemaVersion":1', '"schemaVersion":99');

const damages: readonly (readonly [string, Damage])[] = [
  ["cut", (text) => text.slice(0, text.length / 2)],
  ["empty", () => ""],
  ["of wrong types", (text) => text.replace(/"profiles":\[.*\]/s, '"profiles":{"dev":1}')],
  ["with a profile that is none", (text) => text.replace(/"port":\d+/, '"port":"many"')],
  ["written by a newer Lockkeeper", newer],
];

/** The arguments of commands that would change profiles, or start something. */
const CHANGES = [
  ["create", "more"],
  ["up"],
  ["start", "idle"],
  ["restart", "dev"],
  ["restart", "--all"],
  ["edit", "dev", "--env", "A=1"],
  ["rename", "dev", "web"],
  ["clone", "dev", "copy"],
  ["remove", "dev", "--yes"],
  ["protect", "dev"],
];

describe("a damaged registry", () => {
  test("what looks is answered from its last good copy, what changes is refused, and the file stays as it is", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1, groups: ["web"] });
      await create({ name: "prod", span: 1, protected: true });
      await create({ name: "idle", span: 1 });
      const { status } = await profiles.start("dev");
      await profiles.start("prod");
      const file = path.join(home, "registry.json");
      const whole = await readFile(file, "utf8");
      for (const [what, damage] of damages) {
        const damaged = damage(whole);
        await writeFile(file, damaged);
        expect(await profiles.status("dev"), what).toMatchObject({ state: "running", pid: status.pid });
        expect(await profiles.status("idle"), what).toMatchObject({ state: "stopped" });
        expect(await profiles.match(["@web", "pr*"], { known: true }), what).toEqual(["dev", "prod"]);
        expect(await profiles.protection("prod"), what).toBe("protected");
        expect(await profiles.protection("dev"), what).toBe("open");
        expect((await profiles.log("dev")).lines.length, what).toBeGreaterThan(0);
        expect((await profiles.history("dev")).length, what).toBeGreaterThan(0);
        await expect(profiles.list(), what).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
        await expect(profiles.status("nope"), what).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
        await expect(profiles.restart("dev"), what).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
        await expect(profiles.create({ name: "more" }), what).rejects.toMatchObject({ code: "REGISTRY_DAMAGED" });
        expect(await readFile(file, "utf8"), what).toBe(damaged);
      }
      for (const args of CHANGES) {
        const { status: exit, stderr } = await runCli(home, args);
        expect({ args, exit, stderr }).toMatchObject({ exit: 65, stderr: expect.stringContaining(file) as string });
      }
      const listed = await runCli(home, ["list"]);
      expect(listed).toMatchObject({ status: 65, stdout: expect.stringMatching(/dev .*\n.* idle .*\n.* prod /) });
      const asJson = await runCli(home, ["list", "--json"]);
      expect(asJson.status).toBe(65);
      expect((JSON.parse(asJson.stdout) as unknown[]).length).toBe(3);
      expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: "REGISTRY_DAMAGED" } });
      expect((await runCli(home, ["why", "dev"])).stdout).toContain("dev is running");
      expect(isAlive(status.pid), "no refused command has stopped it").toBe(true);
      await writeFile(file, whole);
    }));

  test.each([["cut"], ["gone"]])(
    "%s: `down` and `stop --all` stop what is not protected, and name the command that restores it",
    (what) =>
      withProfiles(async ({ profiles, create, home }) => {
        await create({ name: "dev", span: 1 });
        await create({ name: "prod", span: 1, protected: true });
        const { status: dev } = await profiles.start("dev");
        const { status: prod } = await profiles.start("prod");
        const file = path.join(home, "registry.json");
        const [whole, copy] = [await readFile(file, "utf8"), path.join(home, "registry.last-good.json")];
        if (what === "gone") await rm(file);
        else await writeFile(file, whole.slice(0, -20));
        const down = await runCli(home, ["down"]);
        expect(down).toMatchObject({ status: 0, stdout: "dev: stopped\n" });
        expect(down.stderr).toContain("prod is protected and was left alone");
        expect(down.stderr).toMatch(new RegExp(`^warning: the registry is damaged: .*: cp -p ${copy} ${file}$`, "m"));
        expect([isAlive(dev.pid), isAlive(prod.pid)]).toEqual([false, true]);
        const all = await runCli(home, ["stop", "--all"]);
        expect(all).toMatchObject({ status: 0, stdout: "dev: already stopped\n" });
        // What the warning says mends it.
        await copyFile(copy, file);
        expect((await runCli(home, ["stop", "prod", "--confirm", "prod"])).status).toBe(0);
        expect(await readFile(file, "utf8")).toBe(whole);
      }),
  );

  test("and no copy that can be read: a protected one cannot be told, so `down` leaves it alone and says how to stop it", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1 });
      await create({ name: "idle", span: 1 });
      const { status } = await profiles.start("dev");
      const [file, copy] = [path.join(home, "registry.json"), path.join(home, "registry.last-good.json")];
      const whole = await readFile(file, "utf8");
      for (const each of [file, copy]) await writeFile(each, newer(whole));
      const seen = await runCli(home, ["status", "dev"]);
      expect(seen).toMatchObject({ status: 0, stdout: expect.stringContaining(`pid ${status.pid}`) });
      expect(seen.stderr).toContain("only profiles that have run are known");
      expect((await runCli(home, ["status", "idle"])).status, "nothing tells of it").toBe(65);
      expect(await profiles.shownOutput("dev", ["A secret?"]), "what is secret is not known").toEqual([]);
      const down = await runCli(home, ["down"]);
      expect(down).toMatchObject({ status: 2, stdout: "" });
      expect(down.stderr).toContain("whether dev is protected cannot be read: it was left alone");
      expect(down.stderr).toContain("hint: If you mean it: lockkeeper down dev --confirm dev\n");
      expect(isAlive(status.pid)).toBe(true);
      expect(await runCli(home, ["down", "dev", "--confirm", "dev"])).toMatchObject({ status: 0 });
      expect(isAlive(status.pid)).toBe(false);
      expect((await runCli(home, ["down"])).status, "what has ended needs no stop").toBe(0);
      await writeFile(file, whole);
    }));

  test("and nothing else that tells of profiles: every command says what is wrong", () =>
    withProfiles(async ({ create, home }) => {
      await create({ name: "dev", span: 1 });
      const [file, copy] = [path.join(home, "registry.json"), path.join(home, "registry.last-good.json")];
      const whole = await readFile(file, "utf8");
      for (const each of [file, copy]) await writeFile(each, "");
      for (const args of [["list"], ["down"], ["stop", "--all"], ["stop", "dev"], ["status", "dev"], ["logs", "dev"]]) {
        const { status, stderr } = await runCli(home, args);
        expect({ args, status, stderr }).toMatchObject({ status: 65, stderr: expect.stringContaining(file) as string });
      }
      await writeFile(file, whole);
    }));
});

/** Not root's: it may read everything. */
const USER = 4_103;
const asUser = ["--reuid", `${USER}`, "--regid", `${USER}`, "--clear-groups", "--"];
const isAble =
  process.getuid?.() === 0 &&
  spawnSync("setpriv", [...asUser, process.execPath, CLI_ENTRY, "--version"], { cwd: "/" }).status === 0;
if (!isAble) process.stdout.write("skipped: this test needs root, setpriv, and a folder that other users may read\n");

test.runIf(isAble)("a registry of our own that we may not read: its mode is what the hint mends", () =>
  withProfiles(async ({ create, home, folder }) => {
    await create({ name: "dev", span: 1 });
    const file = path.join(home, "registry.json");
    const theirs = path.join(folder, "theirs");
    await chmod(folder, 0o755);
    await rename(home, theirs);
    spawnSync("chown", ["-R", `${USER}:${USER}`, theirs]);
    await chmod(path.join(theirs, "registry.json"), 0);
    const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync("setpriv", [...asUser, process.execPath, CLI_ENTRY, ...args], {
        encoding: "utf8",
        cwd: "/",
        env: bareEnvironment(theirs),
      });
    const mend = `chmod 600 ${path.join(theirs, "registry.json")}\n`;
    expect(run("status", "dev")).toMatchObject({ status: 3, stderr: expect.stringContaining(mend) as string });
    expect(run("down")).toMatchObject({ status: 0, stdout: "dev: already stopped\n" });
    expect(run("start", "dev")).toMatchObject({ status: 77, stderr: expect.stringContaining(mend) as string });
    await chmod(path.join(theirs, "registry.json"), 0o600);
    spawnSync("chown", ["-R", "0:0", theirs]);
    await chown(theirs, 0, 0);
    await rename(theirs, home);
    expect(await readFile(file, "utf8")).toContain('"dev"');
  }),
);
