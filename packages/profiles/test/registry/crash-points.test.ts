/**
 * SIGKILL before each file-system step of `create` and `remove`: the next command finds nothing of it, or the whole,
 * and works. The steps are counted, not guessed: the sweep goes on until a run ends alive.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { profilePaths } from "../../src/profile-paths.ts";
import { changeRegistry } from "../../src/registry/registry-change.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { removeProfile } from "../../src/life/remove.ts";
import { scratchHome } from "../scratch-home.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** Runs one change that is killed before step `killAt`; true when it got through. */
async function change(home: string, verb: "create" | "remove", killAt: number): Promise<boolean> {
  const child = spawn(
    process.execPath,
    ["--import", fixture("kill-at-step.js"), fixture("change-home.js"), home, verb, "dev"],
    { env: { ...process.env, KILL_AT_STEP: String(killAt) }, stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal === "SIGKILL") return false;
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^done\nsteps \d+\n$/) as string });
  return true;
}

/** Whole: everything that `create` makes. None: no trace in registry and folder. */
function extent(home: string): "whole" | "none" | "part" {
  const manifest = readRegistry(home).get("dev");
  const { profile, token, lock, logs, state, workspace } = profilePaths(home, "dev" as never);
  if (manifest === undefined) return fs.existsSync(profile) ? "part" : "none";
  const whole = [token, lock, logs, state, workspace].every((path) => fs.existsSync(path));
  return whole && fs.readFileSync(token, "utf8").length > 40 ? "whole" : "part";
}

/** The next change finds the home in order: no intent, no temp file. */
async function settled(home: string): Promise<void> {
  await changeRegistry(home, async () => undefined);
  const known = /^(?:registry\.(?:json|lock|last-good\.json)|profiles|run|trash)$/;
  expect(fs.readdirSync(home).filter((name) => !known.test(name))).toEqual([]);
}

/**
 * Sweeps the steps of a change, a few at a time: `sweepStep` gets a step and says whether the run got through alive.
 * Returns how many steps there were.
 */
async function sweep(sweepStep: (step: number) => Promise<boolean>): Promise<number> {
  let next = 1;
  let through = 0;
  const worker = async (): Promise<void> => {
    while (through === 0) {
      const step = next;
      next += 1;
      if (step > 200) throw new Error("more steps than a change can have");
      if (await sweepStep(step)) through = Math.max(through, step);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  return through;
}

test("create leaves nothing or the whole", async () => {
  const seen = new Set<string>();
  const steps = await sweep(async (step) => {
    const home = scratchHome();
    const through = await change(home, "create", step);
    await settled(home);
    const left = extent(home);
    seen.add(left);
    expect({ step, left }).not.toEqual({ step, left: "part" });
    if (left === "none") await createProfile(home, { name: "dev" });
    expect({ step, left: extent(home) }).toEqual({ step, left: "whole" });
    return through;
  });
  expect(steps).toBeGreaterThan(10);
  expect([...seen].sort()).toEqual(["none", "whole"]);
});

test("remove leaves nothing or the whole, and what is gone lies in the trash", async () => {
  const seen = new Set<string>();
  const steps = await sweep(async (step) => {
    const home = scratchHome();
    await createProfile(home, { name: "dev" });
    const token = fs.readFileSync(profilePaths(home, "dev" as never).token, "utf8");
    const through = await change(home, "remove", step);
    await settled(home);
    const left = extent(home);
    seen.add(left);
    expect({ step, left }).not.toEqual({ step, left: "part" });
    if (left === "whole") await removeProfile({ home }, "dev");
    const trash = fs.readdirSync(join(home, "trash"));
    expect(trash).toHaveLength(1);
    expect(fs.readFileSync(join(home, "trash", trash[0] ?? "", "token"), "utf8")).toBe(token);
    expect(readRegistry(home).size).toBe(0);
    return through;
  });
  expect(steps).toBeGreaterThan(10);
  expect([...seen].sort()).toEqual(["none", "whole"]);
});
