/**
 * Upgrades in place: keepers of the last release under the present command line, and a bundle that disappears under its
 * keeper.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { installEarlier, installPresent, run } from "./earlier-release.ts";
import { isAlive, killAndWait, mustPid } from "../supervision/scratch-profiles.ts";

const present = { entry: CLI_ENTRY };

interface Row {
  readonly name: string;
  readonly state: string;
  readonly pid: number | null;
  readonly keeperPid: number | null;
}

function rowOf(home: string, name: string): Row {
  const { stdout, stderr } = run(present, home, "list", "--json");
  const row = (JSON.parse(stdout === "" ? "[]" : stdout) as Row[]).find((each) => each.name === name);
  if (row === undefined) throw new Error(`no profile ${name}: ${stderr}`);
  return row;
}

describe("a keeper of release 0.1.0 under the present command line", () => {
  test("is listed, excluded, restarted and stopped", async () => {
    await withScratchHome(async ({ home, folder }) => {
      const earlier = installEarlier(path.join(folder, "earlier"));
      expect(run(earlier, home, "up", "dev")).toMatchObject({ status: 0 });
      const old = rowOf(home, "dev");
      expect(old).toMatchObject({ state: "running" });
      expect(run(present, home, "status", "dev").status).toBe(0);
      expect(run(present, home, "start", "dev").status).toBe(0);
      expect(run(present, home, "run", "dev")).toMatchObject({ status: 78 });
      expect(run(present, home, "remove", "dev", "--yes").status).not.toBe(0);
      expect(run(present, home, "rename", "dev", "other", "--yes").status).not.toBe(0);
      expect(rowOf(home, "dev")).toMatchObject({ state: "running", pid: old.pid, keeperPid: old.keeperPid });
      expect(run(present, home, "restart", "dev")).toMatchObject({ status: 0 });
      const renewed = rowOf(home, "dev");
      expect(renewed.state).toBe("running");
      expect(renewed.keeperPid).not.toBe(old.keeperPid);

      // The other way round: the keeper is ours now, and the earlier command line does not touch it.
      expect(run(earlier, home, "run", "dev")).toMatchObject({ status: 78 });
      expect(run(earlier, home, "start", "dev").status).toBe(0);
      expect(rowOf(home, "dev")).toMatchObject({ state: "running", keeperPid: renewed.keeperPid });
      expect(run(present, home, "stop", "dev")).toMatchObject({ status: 0 });
      expect(readdirSync(path.join(home, "profiles/dev/lock"))).toEqual([]);
    });
  });

  test("is stopped by its name, and by `down`, and leaves nothing", async () => {
    await withScratchHome(async ({ home, folder }) => {
      const earlier = installEarlier(path.join(folder, "earlier"));
      expect(run(earlier, home, "up", "dev", "web")).toMatchObject({ status: 0 });
      const old = ["dev", "web"].map((name) => rowOf(home, name));
      expect(run(present, home, "stop", "dev")).toMatchObject({ status: 0 });
      expect(rowOf(home, "web")).toMatchObject({ state: "running", pid: old[1]?.pid });
      expect(run(present, home, "down")).toMatchObject({ status: 0 });
      for (const [index, name] of ["dev", "web"].entries()) {
        expect(rowOf(home, name)).toMatchObject({ state: "stopped", pid: null, keeperPid: null });
        expect(readdirSync(path.join(home, "profiles", name, "lock"))).toEqual([]);
        for (const pid of [old[index]?.pid, old[index]?.keeperPid]) {
          await until(`${pid} has ended`, () => !isAlive(pid ?? null));
        }
      }
    });
  });

  test("that was killed leaves an orphan, which is seen, restarted and stopped", async () => {
    await withScratchHome(async ({ home, folder }) => {
      const earlier = installEarlier(path.join(folder, "earlier"));
      expect(run(earlier, home, "up", "dev")).toMatchObject({ status: 0 });
      const old = rowOf(home, "dev");
      await killAndWait(old.keeperPid);
      await until("the orphan is seen", () => rowOf(home, "dev").state === "orphaned");
      expect(run(present, home, "remove", "dev", "--yes").status).not.toBe(0);
      expect(run(present, home, "restart", "dev")).toMatchObject({ status: 0 });
      expect(rowOf(home, "dev").pid).not.toBe(old.pid);
      expect(run(present, home, "stop", "dev")).toMatchObject({ status: 0 });
    });
  });
});

const HARMS: readonly (readonly [how: string, (folder: string) => void])[] = [
  ["removed", (folder) => rmSync(folder, { recursive: true })],
  [
    "replaced",
    (folder) => {
      renameSync(folder, `${folder}.old`);
      installPresent(folder);
      rmSync(`${folder}.old`, { recursive: true });
    },
  ],
];

describe("a keeper whose bundle disappears", () => {
  test.each(HARMS)("and is %s still works: a crash leads to a restart, and stop works", async (_how, harm) => {
    await withScratchHome(async ({ home, folder }) => {
      const bundle = installPresent(path.join(folder, "bundle"));
      expect(run(bundle, home, "up", "dev")).toMatchObject({ status: 0 });
      const server = `require("http").createServer((q,a)=>a.end("ok")).listen(+process.argv[1],"127.0.0.1");setInterval(()=>console.log("x".repeat(60000)),5)`;
      expect(run(bundle, home, "create", "app", "--", process.execPath, "-e", server, "{port}").status).toBe(0);
      expect(run(bundle, home, "start", "app")).toMatchObject({ status: 0 });
      harm(bundle.folder);
      const log = path.join(home, "profiles/app/logs/gateway.log");
      await until("the log was rotated", () => existsSync(`${log}.1`));
      for (const name of ["app", "dev"]) {
        const before = rowOf(home, name);
        process.kill(mustPid(before.pid), "SIGKILL");
        await until(`${name} runs again`, () => {
          const now = rowOf(home, name);
          return now.state === "running" && now.pid !== before.pid;
        });
        expect(run(present, home, "stop", name)).toMatchObject({ status: 0 });
        expect(rowOf(home, name)).toMatchObject({ state: "stopped", pid: null, keeperPid: null });
      }
    });
  });
});

describe("a program whose bundle disappears while it runs", () => {
  test.each([
    ["--supervised", 143],
    ["--stay", 0],
    ["--no-output", 0],
  ])("keeps a gateway in the foreground as before: run %s", async (option, status) => {
    await withScratchHome(async ({ home, folder }) => {
      const bundle = installPresent(path.join(folder, "bundle"));
      expect(run(bundle, home, "create", "dev", "--hook", "failed=/bin/false")).toMatchObject({ status: 0 });
      const keeper = begin(bundle.entry, home, "run", "dev", option);
      const ended = once(keeper, "close");
      await until("the gateway runs", () => rowOf(home, "dev").state === "running");
      rmSync(bundle.folder, { recursive: true });
      const before = rowOf(home, "dev");
      process.kill(mustPid(before.pid), "SIGKILL");
      await until("it runs again", () => {
        const now = rowOf(home, "dev");
        return now.state === "running" && now.pid !== before.pid;
      });
      expect(rowOf(home, "dev").keeperPid).toBe(before.keeperPid);
      keeper.kill("SIGTERM");
      expect(await ended).toEqual([status, null]);
      expect(rowOf(home, "dev")).toMatchObject({ state: "stopped", pid: null, keeperPid: null });
    });
  });

  test("says so when it needs more of it", async () => {
    await withScratchHome(async ({ home, folder }) => {
      const bundle = installPresent(path.join(folder, "bundle"));
      expect(run(bundle, home, "create", "dev")).toMatchObject({ status: 0 });
      const waiting = begin(bundle.entry, home, "wait", "dev", "--for", "running", "--timeout", "120");
      let said = "";
      for (const stream of [waiting.stdout, waiting.stderr]) stream.on("data", (text) => void (said += String(text)));
      const ended = once(waiting, "close");
      await until("it waits", () => said.includes("stopped"));
      rmSync(bundle.folder, { recursive: true });
      expect(run(present, home, "start", "dev").status).toBe(0);
      // Whether it needs another file is not promised; that it never blames the disk is.
      const [status] = (await ended) as [number];
      if (status !== 0) expect(said).toContain("Lockkeeper was upgraded or removed while this command ran");
      expect(run(present, home, "stop", "dev").status).toBe(0);
    });
  });
});

function begin(entry: string, home: string, ...args: readonly string[]) {
  return spawn(process.execPath, [entry, ...args], {
    cwd: path.dirname(home),
    env: bareEnvironment(home),
    stdio: ["ignore", "pipe", "pipe"],
  });
}
