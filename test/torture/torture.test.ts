import { describe, expect, test } from "vitest";

import type { TortureReport } from "./torture.ts";
import { torture } from "./torture.ts";
import { judgeWitnesses, parseWitnessLog } from "./witness.ts";

/** The short form of `pnpm torture`; the long one makes 100,000 acquisitions and 5,000 kills. */
const SHORT = {
  contenders: 6,
  acquisitions: 600,
  kills: 12,
  maxMs: 120_000,
  killEveryMs: 120,
  stepKillChance: 0.01,
  // A machine that does ten other things lets nobody acquire for longer than the usual time.
  wedgeMs: 20_000,
};

function findings(report: TortureReport): Pick<TortureReport, "overlaps" | "portClashes" | "wedges"> {
  process.stdout.write(
    `${report.adapter}: seed ${report.seed}, ${report.owners} owners, ${report.pidNamespaces} pid namespace(s), world ${report.world}\n`,
  );
  const { overlaps, portClashes, wedges } = report;
  return { overlaps, portClashes, wedges };
}

const NOTHING = { overlaps: 0, portClashes: 0, wedges: 0 };

describe("the torture", () => {
  test("finds no second owner and no wedge under kills and stops", async () => {
    const report = await torture({ ...SHORT, adapter: "lockkeeper" });
    expect(findings(report)).toEqual(NOTHING);
    expect(report.owners).toBeGreaterThan(20);
    expect(report.randomKills + report.stepKills).toBeGreaterThan(0);
  });

  test("finds none while the lock's file is deleted and replaced", async () => {
    const report = await torture({
      ...SHORT,
      adapter: "lockkeeper",
      acquisitions: 300,
      deletions: 3,
      killEveryMs: 60,
    });
    expect(findings(report)).toEqual(NOTHING);
    expect(report.deletions).toBeGreaterThanOrEqual(3);
  });

  test.each(["two-paths", "two-disks"] as const)("finds none in a world of %s", async (world) => {
    const report = await torture({ ...SHORT, adapter: "lockkeeper", acquisitions: 300, world });
    expect(findings(report)).toEqual(NOTHING);
    expect(report.owners).toBeGreaterThan(20);
  });

  test("catches the control that names its lock after a path, in a world of two paths", async ({ skip }) => {
    const report = await torture({ ...SHORT, adapter: "path-named", acquisitions: 300, world: "two-paths" });
    if (report.world === "one") skip("this machine makes no mount namespaces for us");
    expect(findings(report).overlaps).toBeGreaterThan(0);
  });

  test("catches the control that ignores disks, in a world of two disks", async ({ skip }) => {
    const report = await torture({
      ...SHORT,
      adapter: "inode-only",
      world: "two-disks",
      wedgeMs: 6_000,
      stopWhenCaught: true,
    });
    if (report.world === "one") skip("this machine makes no mount namespaces for us");
    expect(findings(report).wedges).toBeGreaterThan(0);
  });

  test("finds none where the addon does not load", async () => {
    const report = await torture({ ...SHORT, adapter: "lockkeeper-fallback", acquisitions: 300 });
    expect(findings(report)).toEqual(NOTHING);
    expect(report.owners).toBeGreaterThan(20);
  });

  test("catches the control without a lock, by both witnesses", async () => {
    const report = await torture({ ...SHORT, adapter: "no-lock" });
    findings(report);
    expect(report.overlaps).toBeGreaterThan(0);
    expect(report.portClashes).toBeGreaterThan(0);
  });

  test("catches the control with a pid file", async () => {
    const report = await torture({
      ...SHORT,
      adapter: "pid-file",
      acquisitions: 100_000,
      kills: 100_000,
      stepKillChance: 0.05,
      wedgeMs: 6_000,
      stopWhenCaught: true,
    });
    const { overlaps, portClashes, wedges } = findings(report);
    expect(overlaps + portClashes + wedges).toBeGreaterThan(0);
  });
});

const judge = (log: string, deaths: Record<string, number> = {}): ReturnType<typeof judgeWitnesses> =>
  judgeWitnesses(parseWitnessLog(log), new Map(Object.entries(deaths)));

describe("the witnesses' judge", () => {
  test("accepts consecutive owners", () => {
    const verdict = judge(
      "A a 1000000\nL a 1000001\nR a 1000002\nG a 1000003\nA b 1000004\nR b 1000005\nG b 1000006\n",
    );
    expect(verdict).toMatchObject({ owners: 2, overlaps: 0, portClashes: 0, reclaimMs: [] });
  });

  test("sees two at one time, and a port that was refused while its holder lived", () => {
    const verdict = judge("A a 1000000\nL a 1000001\nA b 1000002\nE b 1000003\nR a 1000004\nR b 1000005\n");
    expect(verdict).toMatchObject({ owners: 2, overlaps: 1, portClashes: 1 });
  });

  test("ends an owner's time at its death, whatever the cause", () => {
    expect(judge("A a 1000000\nD a 1000001\nA b 3000001\nR b 4000000\n")).toMatchObject({
      overlaps: 0,
      reclaimMs: [2],
    });
    expect(judge("A a 1000000\nA b 3000001\nR b 4000000\n", { a: 1000001 })).toMatchObject({
      overlaps: 0,
      reclaimMs: [2],
    });
    expect(judge("A a 1000000\nA b 3000001\nR b 4000000\n", { a: 3000002 })).toMatchObject({ overlaps: 1 });
    expect(judge("A a 1000000\nA b 3000001\nR b 4000000\n")).toMatchObject({ overlaps: 1 });
  });

  test("skips a line that a death cut short", () => {
    expect(parseWitnessLog("A a 1000000\nR a 10").map(({ letter }) => letter)).toEqual(["A"]);
  });
});
