/** Limits through the command line: a real gateway that hangs under a real keeper, and the messages about limits. */
import { expect, test } from "vitest";
import { withScratchHome } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

interface Shown {
  readonly state: string;
  readonly pid: number;
  readonly restarts: number;
  readonly memoryBytes: number | null;
  readonly memoryMaxBy: string | null;
  readonly healthySince: string | null;
  readonly lastUnhealthyAt: string | null;
  readonly uptimeShare: number | null;
  readonly limitNotes: readonly string[];
}

test("a gateway that hangs is restarted, and status and why say so", () =>
  withScratchHome(async ({ run, json }) => {
    await json(["create", "dev", "--restart-unresponsive", "1s", "--memory-restart", "4G"]);
    await json(["start", "dev"]);
    const before = (await json(["status", "dev"])) as Shown;
    expect(before).toMatchObject({ restarts: 0, lastUnhealthyAt: null, uptimeShare: expect.any(Number) });
    expect(before.healthySince).not.toBeNull();
    if (process.platform === "linux") expect(before.memoryBytes).toBeGreaterThan(2 ** 20);
    process.kill(before.pid, "SIGSTOP");
    const find = async (): Promise<Shown> => ((await json(["list", "--no-probe"])) as [Shown])[0];
    await until("it was restarted", async () => (await find()).restarts > 0 && (await find()).state === "running");
    const after = (await json(["status", "dev"])) as Shown;
    expect(after.pid).not.toBe(before.pid);
    expect(after.lastUnhealthyAt).not.toBeNull();
    expect(after.uptimeShare).toBeLessThan(1);
    const { stdout } = await run(["why", "dev"]);
    expect(stdout).toMatch(/no good answer for \d+ s: health check \/healthz: .*; restarting it/);
    expect(stdout).toMatch(/no good answer for .*; stopped on request; starting it again/);
  }));

test("a limit that this host cannot enforce is reported at creation, at the start and by looks", () =>
  withScratchHome(async ({ run, json }) => {
    const warning = "--restart-unresponsive never acts with --health none";
    const options = ["--restart-unresponsive", "60s", "--health", "none", "--memory-max", "8G"];
    const made = await run(["create", "dev", ...options, "--", process.execPath, "-e", "setInterval(() => 0, 1e6)"]);
    expect(made).toMatchObject({ status: 0, stderr: expect.stringContaining(warning) });
    expect((await run(["start", "dev"])).stderr).toContain(warning);
    const { stdout } = await run(["status", "dev"]);
    expect(stdout).toContain(warning);
    const status = (await json(["status", "dev"])) as Shown;
    expect(status.limitNotes.some((note) => note.startsWith("--memory-max"))).toBe(status.memoryMaxBy === null);
    const edited = await run(["edit", "dev", "--unset", "restart-unresponsive", "--unset", "memory-max"]);
    expect(edited.stderr).not.toContain("never acts");
    expect(((await json(["status", "dev"])) as Shown).limitNotes).toEqual([]);
  }));
