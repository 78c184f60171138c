/** The hard limit on a gateway's memory, with the real kernel where it permits one. */
import { existsSync, readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, test } from "vitest";

import { canCapMemory } from "../../src/host/memory-cap.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { readHistory } from "../../src/keeper/history.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { KeeperScene } from "./kept-gateway.ts";

const canCap = canCapMemory();
if (!canCap) process.stderr.write("skipped: no control group can be made here\n");
let scene: KeeperScene;

beforeEach(() => {
  scene = new KeeperScene();
});

afterEach(() => scene.end());

test.skipIf(!canCap)("ends a gateway that takes more, says so, and leaves no control group behind", async () => {
  const port = await freePort();
  const kept = scene.keep(scene.spec("grows.js", [port], { port, memoryMaxBytes: 150 * 2 ** 20 }));
  const { gateway } = await kept.until("running");
  expect(readFileSync(`/proc/${gateway?.pid}/cgroup`, "latin1")).toContain("lockkeeper-dev-");
  expect(readFileSync("/proc/self/cgroup", "latin1")).not.toContain("lockkeeper-dev-");
  if (gateway !== null) signalProcess(gateway, "SIGUSR2");
  const again = await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
  const [crash] = readHistory(kept.spec.eventsPath).filter(({ exit }) => exit !== null);
  expect(crash?.reason).toMatch(/^killed by SIGKILL after the kernel killed a process at the memory limit of 150 MiB/);
  const [, group = ""] =
    /(\/[^\n]*lockkeeper-dev-\w+)/.exec(readFileSync(`/proc/${again.gateway?.pid}/cgroup`, "latin1")) ?? [];
  const directories = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].map((mount) => mount + group);
  expect(directories.filter((directory) => existsSync(directory))).toHaveLength(1);
  await kept.stop();
  expect(directories.filter((directory) => existsSync(directory))).toEqual([]);
});
