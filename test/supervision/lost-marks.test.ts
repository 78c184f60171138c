/**
 * Somebody removes the lock file of a running profile and removes or rewrites its record. A living keeper puts its lock back; while
 * it cannot, or when there is none, `stop` says that something lives, and never that the profile has stopped.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
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

function isNamedIn({ lockDir }: Run): boolean {
  return readdirSync(lockDir).some((name) =>
    readFileSync(path.join(lockDir, name), "utf8").includes('"profile":"dev"'),
  );
}

const recordOf = ({ home }: ScratchProfiles): string => path.join(home, "run/dev.json");

/** As a restored backup would have it. */
function sayStopped(scratch: ScratchProfiles): void {
  const file = recordOf(scratch);
  const record = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...record, state: "stopped", keeper: null, gateway: null }), { mode: 0o600 });
}

const removeRecord = (scratch: ScratchProfiles): void => rmSync(recordOf(scratch));

describe.runIf(process.platform === "linux")("a stop of a profile whose lock file is gone", () => {
  test.each([
    ["whose record says stopped", sayStopped],
    ["without a record", removeRecord],
  ])("%s: the owner that cannot put it back is reported", (_, forget) =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const run = await startDev(scratch);
      process.kill(run.keeper, "SIGSTOP");
      try {
        await until("the keeper is paused", () => /^\d+ \(.*\) T /.test(statOf(run.keeper)));
        removeLockFiles(run);
        forget(scratch);
        await expect(profiles.stop("dev")).rejects.toMatchObject({
          code: "RECORD_UNVERIFIED",
          message: expect.stringContaining("dev is held by a process") as string,
        });
        expect(isAlive(run.gateway)).toBe(true);
      } finally {
        process.kill(run.keeper, "SIGCONT");
      }
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

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, "utf8");
