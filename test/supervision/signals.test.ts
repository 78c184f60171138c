/**
 * Which processes may be signalled: records with correct identities that name a stranger, an ancestor, another profile
 * or the original of a copied home. No command signals any of them; and the real gateway is still reached.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { identifyProcess, ownIdentity } from "@lockkeeper/core/internal";
import type { ProcessIdentity } from "@lockkeeper/core";
import { openProfiles } from "@lockkeeper/profiles";
import type { Profiles } from "@lockkeeper/profiles";
import { describe, expect, test, onTestFinished } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, isAlive, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

const noFixture = fixture("serve", "{port}");

function identityOf(pid: number | undefined): ProcessIdentity {
  const identity = identifyProcess(pid ?? 0);
  if (identity === undefined) throw new Error("no such process");
  return identity;
}

/** A living process of somebody else, which may carry a nonce. */
function stranger(env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn("sleep", ["600"], { stdio: "ignore", detached: true, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Changes fields of the published record of a profile that ran and was stopped. */
function forge(home: string, name: string, changes: Readonly<Record<string, unknown>>): void {
  const file = path.join(home, `run/${name}.json`);
  const record = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...record, state: "running", ...changes }), { mode: 0o600 });
}

const createDev = async ({ create, profiles }: ScratchProfiles, name = "dev"): Promise<void> => {
  await create({ name, span: 1, argv: noFixture, health: "tcp" });
  await profiles.start(name);
};

/** Every command that ends something; its answer does not matter here. */
async function tryEverything(profiles: Profiles, name = "dev"): Promise<void> {
  const verbs = [
    () => profiles.stop(name),
    () => profiles.restart(name),
    () => profiles.start(name, { replace: true, timeoutMs: 5_000 }),
    () => profiles.stop(name),
    async () => profiles.repair(await profiles.diagnose()),
  ];
  for (const verb of verbs) await verb().catch(() => undefined);
}

/** Runs `lockkeeper` with a shell and a `timeout` between us and the command. */
function nested(home: string, args: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const command = `timeout 60 '${process.execPath}' '${CLI_ENTRY}' ${args.join(" ")}; exit $?`;
  return spawnSync("sh", ["-c", command], { env: bareEnvironment(home), encoding: "utf8", cwd: path.dirname(home) });
}

describe("a forged record", () => {
  test.each(["keeper", "gateway"] as const)(
    "security 11: that names a stranger as %s ends no process, stopped or running",
    (role) =>
      withProfiles(async (scratch) => {
        const { profiles, home } = scratch;
        await createDev(scratch);
        const victim = stranger();
        await profiles.stop("dev");
        forge(home, "dev", { [role]: identityOf(victim.pid) });
        expect((await profiles.list())[0]).toMatchObject({ state: "stopped" });
        forge(home, "dev", { [role]: identityOf(victim.pid) });
        await tryEverything(profiles);
        // While it runs: the record is the keeper's to write, but for some seconds a forged one is read.
        await profiles.start("dev");
        forge(home, "dev", { keeper: null, gateway: null, [role]: identityOf(victim.pid) });
        await profiles.stop("dev").catch(() => undefined);
        expect(isAlive(victim.pid ?? null)).toBe(true);
      }),
  );

  test("security 11: that names a stranger with its nonce ends only processes of that very run", () =>
    withProfiles(async (scratch) => {
      const { profiles, home, create } = scratch;
      await create({ name: "dev", span: 1, argv: noFixture, health: "tcp", end: "all" });
      await profiles.start("dev");
      await profiles.stop("dev");
      const nonce = "f".repeat(32);
      const victims = [
        stranger({ LOCKKEEPER_RUN: nonce }),
        stranger({ LOCKKEEPER_RUN: nonce, LOCKKEEPER_PROFILE: "dev", LOCKKEEPER_HOME: path.dirname(home) }),
        stranger({ LOCKKEEPER_RUN: nonce, LOCKKEEPER_PROFILE: "other", LOCKKEEPER_HOME: home }),
      ];
      // The control: a process that carries run, profile and home belongs to that run, and ends with it.
      const stray = stranger({ LOCKKEEPER_RUN: nonce, LOCKKEEPER_PROFILE: "dev", LOCKKEEPER_HOME: home });
      forge(home, "dev", { nonce, keeper: null, gateway: identityOf(victims[0]?.pid) });
      await tryEverything(profiles);
      expect(isAlive(stray.pid ?? null)).toBe(false);
      expect(victims.map(({ pid }) => isAlive(pid ?? null))).toEqual([true, true, true]);
      for (const victim of victims) victim.kill("SIGKILL");
    }));

  test("in the lock's file, without a lock on it, ends no process", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      await createDev(scratch);
      const { paths } = await profiles.status("dev");
      const [name = ""] = readdirSync(paths.lock);
      const text = readFileSync(path.join(paths.lock, name), "utf8");
      await profiles.stop("dev");
      const victim = stranger();
      const { pid, startTicks } = identityOf(victim.pid);
      const record = JSON.parse(text) as Record<string, unknown>;
      const forged = JSON.stringify({ ...record, pid, startTicks, gateway: { pid, startTicks } });
      writeFileSync(path.join(paths.lock, name), forged.padEnd(1_023) + "\n", { mode: 0o600 });
      await tryEverything(profiles);
      expect(isAlive(victim.pid ?? null)).toBe(true);
    }));

  test("security 11: of another profile, or of a copied home, ends neither", () =>
    withProfiles(async (scratch) => {
      const { profiles, home, folder } = scratch;
      await createDev(scratch);
      await createDev(scratch, "other");
      const { pid } = await profiles.status("dev");
      const copy = path.join(folder, "copy");
      cpSync(home, copy, { recursive: true });
      const copied = await openProfiles({ home: copy, env: bareEnvironment(copy) });
      expect((await copied.list()).map(({ state }) => state)).toEqual(["stopped", "stopped"]);
      cpSync(home, copy, { recursive: true });
      expect((await copied.stop("dev")).outcome).toBe("already-stopped");
      cpSync(home, copy, { recursive: true });
      await expect(copied.restart("dev")).rejects.toMatchObject({ code: "PORT_IN_USE" });
      expect((await copied.remove("dev")).trash).toContain("dev");

      await profiles.stop("other");
      cpSync(path.join(home, "run/dev.json"), path.join(home, "run/other.json"));
      expect((await profiles.stop("other")).outcome).toBe("already-stopped");
      expect(await profiles.status("dev")).toMatchObject({ state: "running", pid });
    }));
});

describe("security 11: an ancestor of the command", () => {
  test.each(["keeper", "gateway"] as const)(
    "that a record names as %s is not ended, whatever is between them",
    (role) =>
      withProfiles(async (scratch) => {
        const { profiles, home } = scratch;
        await createDev(scratch);
        await profiles.stop("dev");
        for (const args of [
          ["stop", "dev"],
          ["restart", "dev"],
          ["start", "dev", "--replace"],
          ["stop", "dev", "--yes-stop-myself"],
        ]) {
          forge(home, "dev", { keeper: null, gateway: null, [role]: ownIdentity() });
          nested(home, args);
          await profiles.stop("dev");
        }
        // We are still here to say so. While it really runs, and only the record is false:
        await profiles.start("dev");
        const { pid, keeperPid } = await profiles.status("dev");
        forge(home, "dev", { keeper: null, gateway: null, [role]: ownIdentity() });
        expect(nested(home, ["restart", "dev"]).status).toBe(0);
        // The lock told which keeper is meant.
        expect([isAlive(pid), isAlive(keeperPid)]).toEqual([false, false]);
        expect((await profiles.status("dev")).state).toBe("running");
      }),
  );

  test("that embeds the keeper is asked and stops the run, even when it is the calling process itself", () =>
    withProfiles(async (scratch) => {
      const { profiles, home, create } = scratch;
      await create({ name: "dev", span: 1, argv: noFixture, health: "tcp" });
      let over = new AbortController();
      for (const stop of [
        async () => void (await profiles.stop("dev")),
        async () => {
          const asked = new Promise<void>((resolve) => process.once("SIGTERM", () => resolve()));
          const child = spawn(process.execPath, [CLI_ENTRY, "stop", "dev"], { env: bareEnvironment(home) });
          await asked;
          over.abort();
          const [status] = await new Promise<[number | null]>((resolve) =>
            child.once("exit", (code) => resolve([code])),
          );
          expect(status).toBe(0);
        },
      ]) {
        over = new AbortController();
        const kept = profiles.run("dev", { supervised: false, stop: over.signal, force: new AbortController().signal });
        await until("it runs", async () => (await profiles.status("dev")).state === "running");
        await stop();
        expect((await kept).outcome).toBe("stopped");
      }
    }));
});
