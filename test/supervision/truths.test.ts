/**
 * What a keeper and the commands report of gateways that are hard to see: each report is the truth that the child handle
 * or the lock knows.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { openProfiles } from "@lockkeeper/profiles";
import { describe, expect, test, onTestFinished } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { freePort, holdPort, NO_IPV6 } from "../harness/ports.ts";
import { until } from "../harness/until.ts";
import { fixture, gatewaysOf, isAlive, killAndWait, mustPid, withProfiles } from "./scratch-profiles.ts";

const python = spawnSync("python3", ["-c", "import socket"]).status === 0;
if (!python)
  process.stdout.write("skipped: no python3 for a listener without SO_REUSEADDR, and for a main thread that ends\n");

function readRecord(home: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path.join(home, "run/dev.json"), "utf8")) as Record<string, unknown>;
}

describe("a gateway whose keeper is gone", () => {
  test("is orphaned when the keeper was killed before it published it; the lock's holder identifies it", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });
      await profiles.start("dev");
      const { pid, keeperPid } = await profiles.status("dev");
      await killAndWait(keeperPid);
      // As it was on disk between the spawn and the next publication.
      const early = { ...readRecord(home), state: "starting", gateway: null, startedAt: null };
      writeFileSync(path.join(home, "run/dev.json"), JSON.stringify(early), { mode: 0o600 });
      expect((await profiles.list())[0]).toMatchObject({ state: "orphaned", pid });
      expect((await profiles.diagnose()).map(({ code }) => code)).not.toContain("port-conflict");
      expect((await profiles.stop("dev")).outcome).toBe("stopped");
      expect(isAlive(pid)).toBe(false);
    }));

  test("that has closed the lock's descriptor is not started twice by `run`, and the other commands still find it", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1, argv: fixture("close-lock", "{port}"), health: "none" });
      await profiles.start("dev");
      const { pid, keeperPid } = await profiles.status("dev");
      await killAndWait(keeperPid);
      expect((await profiles.list())[0]).toMatchObject({ state: "orphaned", pid });
      const never = new AbortController().signal;
      await expect(profiles.run("dev", { supervised: false, stop: never, force: never })).rejects.toMatchObject({
        code: "LOCK_HELD",
        ownerPid: pid,
      });
      expect(gatewaysOf(home, "close-lock")).toEqual([pid]);
      await expect(profiles.remove("dev")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
      expect((await profiles.list())[0]).toMatchObject({ state: "orphaned", pid });
      expect((await profiles.restart("dev")).outcome).toBe("restarted");
      expect(gatewaysOf(home, "close-lock")).toHaveLength(1);
    }));
});

describe("a gateway whose main thread has ended before the others", () => {
  test.runIf(python && process.platform === "linux")("runs, and as an orphan it can be stopped", () =>
    withProfiles(async ({ profiles, create }) => {
      const program = fileURLToPath(new URL("fixtures/main-thread-ends.py", import.meta.url));
      await create({ name: "dev", span: 1, argv: ["python3", program, "{port}"], health: "tcp" });
      await profiles.start("dev");
      const { pid, keeperPid } = await profiles.status("dev");
      const state = (): string | undefined => / ([A-Z]) /.exec(readFileSync(`/proc/${mustPid(pid)}/stat`, "utf8"))?.[1];
      await until("its main thread has ended", () => state() === "Z");
      expect((await profiles.list())[0]).toMatchObject({ state: "running", pid });
      await killAndWait(keeperPid);
      expect((await profiles.list())[0]).toMatchObject({ state: "orphaned", pid });
      expect(await profiles.stop("dev")).toMatchObject({ outcome: "stopped" });
      expect(isAlive(pid)).toBe(false);
    }),
  );
});

describe("a keeper whose lock is lost", () => {
  test("to another file in its place ends its gateway, and the history and the next start say why", () =>
    withProfiles(async ({ profiles, create }) => {
      const { paths } = await create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });
      const { status } = await profiles.start("dev");
      const file = path.join(paths.lock, readdirSync(paths.lock)[0] ?? "");
      // Its keeper may put the file back between the two.
      await until("a directory is in its place", () => {
        rmSync(file, { force: true });
        try {
          mkdirSync(file);
          return true;
        } catch {
          return false;
        }
      });
      await until("its gateway has ended", () => !isAlive(status.pid) && !isAlive(status.keeperPid));
      expect(readFileSync(path.join(paths.logs, "events.jsonl"), "utf8")).toContain('"code":"LOCK_LOST"');
      expect((await profiles.diagnose()).map(({ code }) => code)).toContain("next-start-lock");
      await expect(profiles.start("dev")).rejects.toMatchObject({ code: "UNSAFE_PATH" });
      rmdirSync(file);
      expect((await profiles.start("dev")).outcome).toBe("started");
    }));
});

describe("a supervised start", () => {
  test.each(["serve", "close-lock"])("adopts its own orphan, keeps it, and restarts it when it ends (%s)", (program) =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1, argv: fixture(program, "{port}"), health: "tcp" });
      await profiles.start("dev");
      const { pid, keeperPid } = await profiles.status("dev");
      await killAndWait(keeperPid);
      const supervised = spawn(process.execPath, [CLI_ENTRY, "run", "dev", "--supervised"], {
        env: bareEnvironment(home),
        stdio: "ignore",
      });
      onTestFinished(() => void supervised.kill("SIGKILL"));
      await until("it is kept", async () => (await profiles.status("dev")).state === "running");
      expect(await profiles.status("dev")).toMatchObject({ pid, keeperPid: supervised.pid });
      expect((await profiles.list())[0]).toMatchObject({ state: "running", pid, health: "ok" });
      process.kill(mustPid(pid), "SIGKILL");
      await until("it runs again", async () => {
        const now = await profiles.status("dev");
        return now.state === "running" && now.pid !== pid && now.keeperPid === supervised.pid;
      });
      expect(gatewaysOf(home, program)).toHaveLength(1);
      expect((await profiles.stop("dev")).outcome).toBe("stopped");
      await until("it has ended", () => supervised.exitCode !== null);
    }),
  );

  test("that adopted an orphan is stopped like any keeper", () =>
    withProfiles(async ({ profiles, create, home }) => {
      await create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });
      await profiles.start("dev");
      const { pid, keeperPid } = await profiles.status("dev");
      await killAndWait(keeperPid);
      const over = new AbortController();
      const kept = profiles.run("dev", { supervised: true, stop: over.signal, force: new AbortController().signal });
      await until("it is kept", async () => (await profiles.status("dev")).keeperPid === process.pid);
      expect((await profiles.stop("dev")).outcome).toBe("stopped");
      expect((await kept).outcome).toBe("stopped");
      expect(isAlive(pid)).toBe(false);
      expect(gatewaysOf(home, "serve")).toEqual([]);
    }));
});

describe("a port", () => {
  if (NO_IPV6 !== undefined) process.stdout.write(`skipped: a listener of IPv6 beside: ${NO_IPV6}\n`);
  test.skipIf(NO_IPV6 !== undefined)(
    "with the correct number on another loopback address is reported at once, with the remedy",
    () =>
      withProfiles(async ({ profiles, create }) => {
        await create({ name: "dev", span: 1, argv: fixture("wrong-loopback", "{port}") });
        await expect(profiles.start("dev", { timeoutMs: 20_000 })).rejects.toMatchObject({
          code: "LISTENER_MISMATCH",
          message: expect.stringMatching(/listening on \[::1\]:\d+, expected 127\.0\.0\.1:\d+/) as string,
        });
      }),
  );

  test("that blocked it once is looked at again, and a person's stop ends that", () =>
    withProfiles(async ({ profiles, create }) => {
      const { port } = await create({ name: "dev", span: 1, argv: fixture("serve", "{port}") });
      for (const end of ["look", "stop"] as const) {
        const held = await holdPort(port);
        await expect(profiles.start("dev")).rejects.toMatchObject({ code: "PORT_IN_USE" });
        expect((await profiles.list())[0]?.state).toBe("blocked");
        if (end === "look") {
          await held.release();
          const [seen] = await profiles.list();
          expect(seen).toMatchObject({ state: "stopped" });
          expect(seen?.reason).toMatch(/^was blocked at .*; port \d+ is free now$/);
          expect((await profiles.diagnose()).map(({ code }) => code)).not.toContain("blocked");
        } else {
          expect((await profiles.stop("dev")).outcome).toBe("already-stopped");
          expect((await profiles.list())[0]).toMatchObject({
            state: "stopped",
            reason: "stopped on request; it was blocked before",
          });
          await held.release();
        }
      }
    }));

  test("held by the original of a copied home is not called this profile's own", () =>
    withProfiles(async ({ profiles, create, home, folder }) => {
      await create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });
      const { status } = await profiles.start("dev");
      const copy = path.join(folder, "copy");
      cpSync(home, copy, { recursive: true });
      const inCopy = await openProfiles({ home: copy, env: bareEnvironment(copy) });
      expect((await inCopy.list())[0]).toMatchObject({ state: "stopped", pid: null });
      expect((await inCopy.stop("dev")).outcome).toBe("already-stopped");
      await expect(inCopy.start("dev")).rejects.toMatchObject({ code: "PORT_IN_USE" });
      expect((await inCopy.status("dev")).reason).toContain(`the gateway of profile dev of ${home}`);
      await inCopy.remove("dev");
      expect(isAlive(status.pid)).toBe(true);
    }));

  test("taken after the start from outside of the process tree is reported as taken later", () =>
    withProfiles(async ({ profiles, create, folder }) => {
      // A client of an existing daemon: the daemon listens, and is not a child of the run.
      const go = path.join(folder, "go");
      const daemon = spawn(
        "sh",
        ["-c", `while ! read port < '${go}' 2>&-; do sleep 0.05; done; exec "$0" "$1" "$port"`, ...fixture("serve")],
        {
          stdio: "ignore",
          detached: true,
          env: { PATH: process.env["PATH"] },
        },
      );
      onTestFinished(() => void daemon.kill("SIGKILL"));
      await create({ name: "dev", span: 1, argv: ["sh", "-c", `echo {port} > '${go}'; sleep 600`] });
      await expect(profiles.start("dev")).rejects.toMatchObject({ code: "PORT_IN_USE" });
      expect((await profiles.status("dev")).reason).toContain(
        "began to listen after this start, outside of its process tree",
      );
    }));

  test.runIf(python)("with lingering closed connections is waited for, and not called taken", () =>
    withProfiles(async ({ profiles, create }) => {
      const program = fileURLToPath(new URL("fixtures/no-reuse.py", import.meta.url));
      const { port } = await create({ name: "dev", span: 1, argv: ["python3", program, "{port}"], health: "tcp" });
      await profiles.start("dev");
      const { pid } = await profiles.status("dev");
      await new Promise<void>((resolve) =>
        connect({ port, host: "127.0.0.1" })
          .resume()
          .once("close", () => resolve()),
      );
      process.kill(mustPid(pid), "SIGKILL");
      await until(
        "it waits",
        async () => (await profiles.status("dev")).reason?.includes("closed connections") === true,
      );
      expect(await profiles.status("dev")).toMatchObject({ state: "starting" });
      expect((await profiles.list())[0]).toMatchObject({ health: "unknown" });
    }),
  );
});

/** A /proc that shows a user only their own processes, and a gateway whose capabilities hide even that. */
describe("where /proc hides the keeper's own child", () => {
  const hide = "mount -t proc -o hidepid=2 proc /proc";
  const canHide =
    spawnSync("unshare", ["--mount", "--pid", "--fork", "sh", "-c", hide]).status === 0 &&
    ["setcap", "setpriv"].every((program) => spawnSync("which", [program]).status === 0) &&
    process.getuid?.() === 0;
  if (!canHide) process.stdout.write("skipped: no second /proc, setcap or setpriv here, or not root\n");

  test.runIf(canHide)("it is kept, stopped and never called a stranger", () =>
    withProfiles(async ({ folder }) => {
      const uid = 4_101;
      // A Node that another user can reach, and one with a capability.
      const bin = path.join(folder, "bin");
      mkdirSync(bin, { mode: 0o755 });
      const capable = path.join(bin, "capable");
      copyFileSync(realpathSync(process.execPath), capable);
      chmodSync(capable, 0o755);
      if (spawnSync("setcap", ["cap_net_bind_service=+ep", capable]).status !== 0) return;
      const home = path.join(folder, "theirs");
      mkdirSync(home, { mode: 0o700 });
      spawnSync("chown", ["-R", `${uid}:${uid}`, home]);
      chmodSync(folder, 0o755);
      const [, serve = ""] = fixture("serve");
      const gateway = path.join(bin, "serve.mjs");
      cpSync(serve, gateway);
      const lk = `'${process.execPath}' '${CLI_ENTRY}'`;
      const script = [
        hide,
        `as() { setpriv --reuid ${uid} --regid ${uid} --clear-groups -- "$@"; }`,
        `as ${lk} create dev --port ${await freePort()} --span 1 -- '${capable}' '${gateway}' '{port}'`,
        `as ${lk} start dev; echo "start $?"`,
        `as ${lk} list --json`,
        `as ${lk} stop dev; echo "stop $?"`,
        'pgrep -x capable > /dev/null; echo "alive $?"',
        // Its keeper is killed: the hidden process cannot be identified any more, so it is named and not signalled.
        `as ${lk} start dev; k=$(as ${lk} status dev --json | sed -n 's/.*"keeperPid": \\([0-9]*\\).*/\\1/p'); kill -9 $k`,
        // A killed process may still wait for its processor.
        `for i in $(seq 500); do grep -qs '^State:.[^ZX]' /proc/$k/status || break; sleep 0.02; done`,
        `as ${lk} list; as ${lk} stop dev; echo "stop of the orphan $?"`,
        "kill -9 $(pgrep -x capable)",
        // Until the killed process has ended.
        `for i in $(seq 50); do s=$(as ${lk} status dev | grep state); case $s in *were\\ killed*) break;; esac; done; echo "$s"`,
      ].join("\n");
      const { stdout, stderr } = spawnSync(
        "unshare",
        ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
        {
          env: { ...bareEnvironment(path.join(home, ".lockkeeper")), HOME: home },
          encoding: "utf8",
          cwd: "/",
        },
      );
      expect(stdout + stderr).toContain("start 0");
      expect(stdout).toContain('"state": "running"');
      expect(stdout).toContain("stop 0");
      expect(stdout).toContain("alive 1");
      expect(stdout).toContain("its gateway still runs without one, hidden from this user");
      expect(stdout).toContain("stop of the orphan 1");
      expect(stderr).toMatch(/hint: .*hidepid.*: kill \d+$/m);
      expect(stdout).toMatch(/state +stopped: keeper and gateway were killed/);
    }),
  );
});
