/**
 * Profiles whose keeper lives, or lived, where this process cannot see it: in another pid namespace, or under a
 * container's boot id. The kernel tells their owner: a living one is never ended, a dead one never shown as alive.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, gatewaysOf, isAlive, untilRecordedAsRunning, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

const unshare = "unshare --mount --pid --fork --mount-proc --kill-child".split(" ");
const isAllowed = spawnSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"]).status === 0;
if (!isAllowed) process.stdout.write("skipped: this machine makes no pid namespaces for us (unshare)\n");

/** Runs `lockkeeper run dev` as the first process of a container; `script` prepares it. */
async function runContained(
  { profiles, home }: ScratchProfiles,
  script = "",
): Promise<{ readonly container: ChildProcess; readonly gateway: number; readonly end: () => Promise<void> }> {
  const [command = "", ...args] = [...unshare, "sh", "-c", `${script} exec "$@"`, "sh"];
  const container = spawn(command, [...args, process.execPath, CLI_ENTRY, "run", "dev"], {
    env: bareEnvironment(home),
    stdio: "ignore",
  });
  await untilRecordedAsRunning(home, "dev");
  const [gateway = 0] = gatewaysOf(home, "serve");
  expect(await profiles.list({ probe: false })).toHaveLength(1);
  const end = async (): Promise<void> => {
    container.kill("SIGKILL");
    await once(container, "exit");
    await until("the container is gone", () => !isAlive(gateway));
  };
  return { container, gateway, end };
}

const createDev = ({ create }: ScratchProfiles): ReturnType<ScratchProfiles["create"]> =>
  create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });

/** Restores the run record of a keeper in a namespace that is gone, whatever has been swept since. */
function keepRecord({ home }: ScratchProfiles): () => void {
  const file = path.join(home, "run/dev.json");
  const text = readFileSync(file, "utf8");
  return () => writeFileSync(file, text, { mode: 0o600 });
}

describe.runIf(isAllowed)("a keeper in another pid namespace", () => {
  test("is shown as running there, and no command here ends it", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      await createDev(scratch);
      const { gateway, end } = await runContained(scratch);
      const [seen] = await profiles.list();
      expect(seen).toMatchObject({ state: "running", pid: null, keeperPid: null, health: "ok" });
      expect(seen?.reason).toMatch(/^runs in another container or user's namespace \(pid namespace \d+\)/);
      expect((await profiles.status("dev")).lock.verdict).toBe("held");
      expect((await profiles.start("dev")).outcome).toBe("already-running");
      for (const verb of [
        () => profiles.stop("dev"),
        () => profiles.restart("dev"),
        () => profiles.start("dev", { replace: true }),
      ]) {
        await expect(verb()).rejects.toMatchObject({
          code: "RECORD_UNVERIFIED",
          hint: "Run it there, as the user that started it: lockkeeper stop dev",
        });
      }
      for (const verb of [() => profiles.remove("dev"), () => profiles.rename("dev", "other")]) {
        // Without a pid: there the number belongs to another process.
        await expect(verb()).rejects.toMatchObject({
          code: "PROFILE_RUNNING",
          message: expect.stringMatching(
            /^dev runs in another container or user's namespace \(pid namespace \d+\)[^(]*$/,
          ),
          hint: "Stop it there, as the user that started it: lockkeeper stop dev",
        });
      }
      expect(isAlive(gateway)).toBe(true);
      await end();
    }));

  test("is replaced at once by the next start when its container is gone", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      await createDev(scratch);
      const { end } = await runContained(scratch);
      const putBack = keepRecord(scratch);
      await end();
      expect((await profiles.list())[0]).toMatchObject({ state: "stopped", pid: null });
      putBack();
      expect((await profiles.stop("dev")).outcome).toBe("already-stopped");
      for (const begin of [
        () => profiles.start("dev"),
        () => profiles.restart("dev"),
        () => profiles.start("dev", { replace: true }),
      ]) {
        putBack();
        await begin();
        expect((await profiles.status("dev")).state).toBe("running");
        await profiles.stop("dev");
      }
    }));

  test("is stopped from inside, though it is the first process there", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      await createDev(scratch);
      const { container } = await runContained(scratch);
      const [first] = spawnSync("pgrep", ["-P", String(container.pid)], { encoding: "utf8" }).stdout.split("\n");
      const stop = spawnSync(
        "nsenter",
        ["--target", first ?? "", "--pid", "--mount", process.execPath, CLI_ENTRY, "stop", "dev"],
        { env: bareEnvironment(home), encoding: "utf8" },
      );
      // The end of the first process ends its container, including this command.
      expect([0, null, 137]).toContain(stop.status);
      await until("the container has ended", () => container.exitCode !== null || container.signalCode !== null);
      expect((await profiles.status("dev")).state).toBe("stopped");
      expect(gatewaysOf(home, "serve")).toEqual([]);
    }));
});

const ROOTLESS = ["--user", "--map-root-user"];
const isRootlessAllowed = spawnSync("unshare", [...ROOTLESS, "true"]).status === 0;
if (!isRootlessAllowed)
  process.stdout.write("skipped: this machine makes no user namespaces for us (unshare --user)\n");

describe.runIf(isRootlessAllowed)("a keeper outside of our user namespace", () => {
  test("has a gateway that ports and doctor call ours, and that stop leaves alone", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      await createDev(scratch);
      const { status } = await profiles.start("dev");
      const inside = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
        spawnSync("unshare", [...ROOTLESS, process.execPath, CLI_ENTRY, ...args], {
          env: bareEnvironment(home),
          encoding: "utf8",
        });
      expect(JSON.parse(String(inside("list", "--json").stdout))).toMatchObject([{ state: "running" }]);
      expect(JSON.parse(String(inside("ports", "--json").stdout))).toMatchObject({
        blocks: [{ listeners: [{ port: status.port, pid: null, verdict: "own" }] }],
        conflicts: [],
      });
      expect(inside("ports", "--check").status).toBe(0);
      expect(String(inside("doctor").stdout)).not.toMatch(/held by somebody|stranger/);
      expect(inside("stop", "dev")).toMatchObject({ status: 1 });
      expect(isAlive(status.pid)).toBe(true);
    }));
});

/** As an ordinary user: the files of root and of everybody else have one owner there, which may be anybody. */
const AS_USER = ["setpriv", "--reuid=4101", "--regid=4101", "--clear-groups", "--"];
const TRIED = [...AS_USER.slice(1), "unshare", "--user", process.execPath, CLI_ENTRY, "--version"];
const isUserAllowed = spawnSync("setpriv", TRIED).status === 0;
if (!isUserAllowed) process.stdout.write("skipped: an ordinary user makes no user namespace here (setpriv, unshare)\n");

describe.runIf(isUserAllowed)("a home below folders whose owner the user namespace does not show", () => {
  test.each([
    ["mapped to root", ["--user", "--map-root-user"]],
    ["not mapped at all", ["--user"]],
  ])("%s: the profile is shown, and nothing is done to it; the hint leads outside", (_, flags) =>
    withProfiles(async (scratch) => {
      const { profiles, home, folder } = scratch;
      await createDev(scratch);
      const { status } = await profiles.start("dev");
      chmodSync(folder, 0o755);
      spawnSync("chown", ["-R", "4101:4101", home]);
      try {
        const [command = "", ...args] = [...AS_USER, "unshare", ...flags, process.execPath, CLI_ENTRY, "stop", "dev"];
        const stop = spawnSync(command, args, { env: bareEnvironment(home), encoding: "utf8", cwd: "/" });
        expect(stop).toMatchObject({
          status: 77,
          stderr: expect.stringContaining("outside of this user namespace") as string,
        });
        expect(isAlive(status.pid)).toBe(true);
      } finally {
        spawnSync("chown", ["-R", "0:0", home]);
      }
    }),
  );
});

describe.runIf(isAllowed)("a living keeper under another boot id", () => {
  test("is not mistaken for one from before a reboot", () =>
    withProfiles(async (scratch) => {
      const { profiles, folder } = scratch;
      await createDev(scratch);
      const bootId = path.join(folder, "boot_id");
      writeFileSync(bootId, "12345678-1234-1234-1234-123456789abc\n");
      const { gateway, end } = await runContained(scratch, `mount --bind '${bootId}' /proc/sys/kernel/random/boot_id;`);
      expect((await profiles.list())[0]).toMatchObject({ state: "running", pid: null });
      expect((await profiles.start("dev")).outcome).toBe("already-running");
      await expect(profiles.restart("dev")).rejects.toMatchObject({ code: "RECORD_UNVERIFIED" });
      await expect(profiles.stop("dev")).rejects.toMatchObject({ code: "RECORD_UNVERIFIED" });
      expect(await profiles.diagnose()).toEqual(
        expect.not.arrayContaining([expect.objectContaining({ code: "leftover" })]),
      );
      expect(isAlive(gateway)).toBe(true);
      await end();
    }));

  test("a real reboot still counts: nobody holds the lock", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      await createDev(scratch);
      await profiles.start("dev");
      const file = path.join(home, "run/dev.json");
      const record = readFileSync(file, "utf8");
      await profiles.stop("dev");
      writeFileSync(file, record.replaceAll(/"bootId":"[^"]+"/g, '"bootId":"0"'), { mode: 0o600 });
      expect((await profiles.list())[0]).toMatchObject({ state: "stopped", reason: "keeper and gateway were killed" });
      expect((await profiles.start("dev")).outcome).toBe("started");
    }));
});

describe("the leftovers of a run without living processes", () => {
  const left: readonly (readonly [string, (record: string) => string])[] = [
    ["an ended pid namespace", (record) => record.replaceAll(/"pidNamespace":"\d+"/g, '"pidNamespace":"1"')],
    ["a pid beyond every system's", (record) => record.replaceAll(/"pid":\d+/g, '"pid":99999999999')],
    [
      "the pid of a stranger, no start ticks",
      (record) =>
        record.replaceAll(/"pid":\d+/g, `"pid":${process.pid}`).replaceAll(/"startTicks":\d+/g, '"startTicks":null'),
    ],
    ["no boot id", (record) => record.replaceAll(/"bootId":"[^"]+"/g, '"bootId":null')],
    ["no pid namespace", (record) => record.replaceAll(/"pidNamespace":"\d+"/g, '"pidNamespace":null')],
    ["a future version", (record) => record.replaceAll('"v":1', '"v":2')],
    ["garbage", () => "{"],
    ["nothing", () => ""],
  ];

  test.each(left)("%s: stopped for every command, and the next start replaces it", (_what, damage) =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      const { paths } = await createDev(scratch);
      await profiles.start("dev");
      const file = path.join(home, "run/dev.json");
      const run = readFileSync(file, "utf8");
      const [lockName = ""] = spawnSync("ls", [paths.lock], { encoding: "utf8" }).stdout.split("\n");
      const lock = readFileSync(path.join(paths.lock, lockName), "utf8");
      await profiles.stop("dev");
      // Each alone and both together.
      for (const [hasRun, hasLock] of [
        [true, false],
        [false, true],
        [true, true],
      ]) {
        const put = (): void => {
          if (hasRun) writeFileSync(file, damage(run), { mode: 0o600 });
          if (hasLock) writeFileSync(path.join(paths.lock, lockName), damage(lock), { mode: 0o600 });
        };
        put();
        expect((await profiles.list())[0]).toMatchObject({ state: "stopped", pid: null, keeperPid: null });
        put();
        expect((await profiles.status("dev")).state).toBe("stopped");
        expect((await profiles.stop("dev")).outcome).toBe("already-stopped");
        put();
        expect((await profiles.start("dev")).outcome).toBe("started");
        await profiles.stop("dev");
      }
    }),
  );
});
