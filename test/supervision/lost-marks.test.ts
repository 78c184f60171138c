/**
 * Somebody removes the lock file of a running profile and removes or rewrites its record, or replaces the folder around the file. A
 * living keeper puts its lock back. While it cannot, or when there is none, `stop` says that something lives, and never that the
 * profile has stopped.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openProfiles } from "@lockkeeper/profiles";
import { describe, expect, test } from "vitest";
import { bareEnvironment } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, isAlive, killAndWait, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

interface Run {
  readonly keeper: number;
  readonly gateway: number;
  readonly lockDir: string;
}

async function startDev({ profiles, create }: ScratchProfiles): Promise<Run> {
  await create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });
  const { status } = await profiles.start("dev");
  return { keeper: status.keeperPid ?? 0, gateway: status.pid ?? 0, lockDir: status.paths.lock };
}

function removeLockFiles({ lockDir }: Run): void {
  for (const name of readdirSync(lockDir)) rmSync(path.join(lockDir, name));
}

/** False also while the keeper moves a file there. */
function isNamedIn({ lockDir }: Run): boolean {
  try {
    return readdirSync(lockDir).some((name) =>
      readFileSync(path.join(lockDir, name), "utf8").includes('"profile":"dev"'),
    );
  } catch {
    return false;
  }
}

const recordOf = ({ home }: ScratchProfiles): string => path.join(home, "run/dev.json");

/** As a restored backup would have it. */
function sayStopped(scratch: ScratchProfiles): void {
  const file = recordOf(scratch);
  const record = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...record, state: "stopped", keeper: null, gateway: null }), { mode: 0o600 });
}

const removeRecord = (scratch: ScratchProfiles): void => rmSync(recordOf(scratch));

function removeRecordAndHistory(scratch: ScratchProfiles): void {
  removeRecord(scratch);
  rmSync(path.join(scratch.home, "profiles/dev/logs/events.jsonl"));
}

/** Runs `act` while the keeper of `run` is paused, so that it does not notice what happens to its files. */
async function whilePaused({ keeper }: Run, act: () => Promise<void>): Promise<void> {
  process.kill(keeper, "SIGSTOP");
  try {
    await until("the keeper is paused", () => /^\d+ \(.*\) T /.test(statOf(keeper)));
    await act();
  } finally {
    if (isAlive(keeper)) process.kill(keeper, "SIGCONT");
  }
}

describe.runIf(process.platform === "linux")("a stop of a profile whose lock file is gone", () => {
  test.each([
    ["whose record says stopped", sayStopped],
    ["without a record", removeRecord],
    ["without a record and a history", removeRecordAndHistory],
  ])("%s: the owner that cannot put it back is reported", (_, forget) =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const run = await startDev(scratch);
      await whilePaused(run, async () => {
        removeLockFiles(run);
        forget(scratch);
        // Its open lock file tells who it is, to those who ask about this profile alone.
        expect(await profiles.status("dev")).toMatchObject({
          state: "running",
          keeperPid: run.keeper,
          pid: run.gateway,
          lock: { verdict: "held" },
        });
        await expect(profiles.stop("dev")).rejects.toMatchObject({
          code: "RECORD_UNVERIFIED",
          message: expect.stringContaining("dev is held by a process") as string,
        });
        expect(isAlive(run.gateway)).toBe(true);
      });
      await until("its keeper has put the lock file back", () => isNamedIn(run));
      expect(await profiles.stop("dev")).toMatchObject({ outcome: "stopped" });
      expect(isAlive(run.gateway)).toBe(false);
    }),
  );

  test("of an orphan whose record says stopped: it is ended", () =>
    withProfiles(async (scratch) => {
      const run = await startDev(scratch);
      await killAndWait(run.keeper);
      removeLockFiles(run);
      sayStopped(scratch);
      expect(await scratch.profiles.stop("dev")).toMatchObject({ outcome: "stopped" });
      expect(isAlive(run.gateway)).toBe(false);
    }));

  test("of an orphan without any record: it is named, not signalled, and the hint ends it", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const run = await startDev(scratch);
      await killAndWait(run.keeper);
      removeLockFiles(run);
      removeRecord(scratch);
      await expect(profiles.stop("dev")).rejects.toMatchObject({
        code: "RECORD_UNVERIFIED",
        evidence: [expect.stringContaining(`pid ${run.gateway} `) as string],
        hint: expect.stringContaining(`kill ${run.gateway}`) as string,
      });
      expect(isAlive(run.gateway)).toBe(true);
      await killAndWait(run.gateway);
      expect(await profiles.stop("dev")).toMatchObject({ outcome: "already-stopped" });
    }));
});

/** Puts an empty directory, or a copy, in the place of `folder`: what a restored backup does. */
function replaceFolder(folder: string, how: "empty" | "copy"): void {
  const old = `${folder}.old`;
  if (how === "copy") cpSync(folder, `${folder}.new`, { recursive: true, preserveTimestamps: true });
  renameSync(folder, old);
  if (how === "copy") renameSync(`${folder}.new`, folder);
  else mkdirSync(folder, { mode: 0o700 });
}

describe.runIf(process.platform === "linux")("a profile whose folder was replaced while it runs", () => {
  test.each([
    ["the directory of its lock, by an empty one", "profiles/dev/lock", "empty"],
    ["its folder, by a copy", "profiles/dev", "copy"],
    ["the whole home, by a copy", "", "copy"],
  ] as const)("%s: its keeper is still known, nothing is started or moved, and stop ends both", (_, place, how) =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      const run = await startDev(scratch);
      await whilePaused(run, async () => {
        replaceFolder(path.join(home, place), how);
        const { keeper: keeperPid, gateway: pid } = run;
        expect((await profiles.list())[0]).toMatchObject({ state: "running", keeperPid, pid });
        expect(await profiles.start("dev")).toMatchObject({ outcome: "already-running" });
        const never = new AbortController().signal;
        await expect(profiles.run("dev", { supervised: false, stop: never, force: never })).rejects.toMatchObject({
          code: "LOCK_HELD",
          ownerPid: run.keeper,
        });
        await expect(profiles.remove("dev")).rejects.toMatchObject({ code: "PROFILE_RUNNING" });
        expect(await profiles.stop("dev")).toMatchObject({ outcome: "stopped", status: { state: "stopped" } });
        expect([run.keeper, run.gateway].filter(isAlive)).toEqual([]);
      });
    }),
  );

  test("is not taken for the profile of a copied home, which has no owner", () =>
    withProfiles(async (scratch) => {
      const { home, folder } = scratch;
      const run = await startDev(scratch);
      const copy = path.join(folder, "copy");
      cpSync(home, copy, { recursive: true, preserveTimestamps: true });
      const copied = await openProfiles({ home: copy, env: bareEnvironment(copy) });
      expect(await copied.stop("dev")).toMatchObject({ outcome: "already-stopped" });
      expect([run.keeper, run.gateway].filter(isAlive)).toEqual([run.keeper, run.gateway]);
    }));
});

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, "utf8");
