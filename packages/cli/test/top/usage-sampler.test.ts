/** An idle tree costs a look at its own files; one that does something is read anew at once. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { UsageSampler } from "../../src/top/usage-sampler.ts";

const CHILDREN: ChildProcess[] = [];

afterEach(() => {
  for (const child of CHILDREN.splice(0)) child.kill("SIGKILL");
});

/** A process that rests until it is sent a line; then it takes 200 MB and answers. */
async function sleeper(): Promise<ChildProcess & { pid: number }> {
  const script = `let held; process.stdin.on("data", () => { held = Buffer.alloc(2e8, 1); console.log("took", held.length) }); console.log("ready")`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  CHILDREN.push(child);
  await once(child.stdout, "data");
  return Object.assign(child, { pid: child.pid ?? 0 });
}

describe.skipIf(process.platform !== "linux")("figures of trees (Linux)", () => {
  test("come anew when there are news, and when they are old", async () => {
    const child = await sleeper();
    const sampler = new UsageSampler();
    expect(sampler.sample([child.pid], 0)).toBe(true);
    expect(sampler.of(child.pid)?.cpuPercent).toBeNull();
    const before = sampler.of(child.pid)?.memoryBytes ?? 0;
    expect(before).toBeGreaterThan(0);
    // So long after the first that the usage in between is too small to count: the second figure.
    expect(sampler.sample([child.pid], 1e9)).toBe(true);
    expect(sampler.of(child.pid)?.cpuPercent).toBeLessThan(1);
    child.stdin?.write("\n");
    await once(child.stdout ?? child, "data");
    expect(sampler.sample([child.pid], 1e9 + 3_000)).toBe(true);
    expect(sampler.of(child.pid)?.memoryBytes).toBeGreaterThan(before + 1e8);
  });

  test("are gone with their process", async () => {
    const child = await sleeper();
    const sampler = new UsageSampler();
    sampler.sample([child.pid], 0);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(sampler.sample([child.pid], 100)).toBe(true);
    expect(sampler.of(child.pid)).toBeUndefined();
    expect(sampler.sample([], 200)).toBe(false);
  });
});
