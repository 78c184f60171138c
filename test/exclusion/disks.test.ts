/**
 * One file on one disk is one lock: equal paths and equal inode numbers on two disks are two locks, as in two containers
 * of one image. Each process mounts its own disk at the same place, in its own mount namespace.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { acquireGatewayLock, inspectGatewayLock, lockPathFor } from "@lockkeeper/core";
import { lookAtKernelLocks } from "@lockkeeper/core/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { endPrograms, launch, startProgram } from "./programs.ts";

let home: string;
let disk: string;
let place: { lockDir: string; configPath: string };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-disks-"));
  disk = join(home, "disk");
  mkdirSync(disk);
  place = { lockDir: join(disk, "lock"), configPath: join(disk, "gateway.json") };
});

afterEach(async () => {
  await endPrograms();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** The command prefix that gives a process a fresh disk at `disk`, and a pid and network namespace. */
const ownDisk = (): readonly string[] => {
  const unshare = "unshare --mount --pid --net --fork --mount-proc --kill-child".split(" ");
  return [...unshare, "sh", "-c", 'mount -t tmpfs -o mode=700 tmpfs "$0" && "$@"; exit $?', disk];
};

const argumentsOf = (): readonly string[] => [JSON.stringify({ ...place, timeoutMs: 200 })];

const canMount = spawnSync("unshare", ["--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).status === 0;
if (!canMount) process.stdout.write("skipped: this machine lets us mount nothing (unshare --mount)\n");

describe.runIf(canMount)("two disks at one path", () => {
  test("have one owner each, though every inode number is the same", async () => {
    const first = await startProgram({ name: "owner.js", args: argumentsOf(), under: ownDisk() });
    const second = await startProgram({ name: "owner.js", args: argumentsOf(), under: ownDisk() });
    expect(await second.line("inodes")).toEqual(await first.line("inodes"));
  });

  test("do not show each other's owner", async () => {
    const owner = await startProgram({ name: "owner.js", args: argumentsOf(), under: ownDisk() });
    expect(lookAtKernelLocks().ask(place)).toEqual({ verdict: "free" });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "free" });
    await owner.line("inodes");
  });

  test("exclude as usual when they are one disk", async () => {
    const lock = await acquireGatewayLock(place);
    expect(lookAtKernelLocks().ask(place)).toMatchObject({ verdict: "held", path: lock.path });
    const second = launch({ name: "owner.js", args: argumentsOf() });
    await expect(second.line("ready")).rejects.toThrow("gateway already running");
    await lock.release();
    expect(lookAtKernelLocks().ask(place)).toEqual({ verdict: "free" });
  });
});

describe("the kernel's answer", () => {
  test("names the holder of a lock, and does not trust a record", async () => {
    const owner = await startProgram({ name: "owner.js", args: [JSON.stringify(place)] });
    const answer = lookAtKernelLocks().ask(place);
    expect(answer.verdict === "held" && answer.findHolders().map(({ pid }) => pid)).toEqual([owner.child.pid]);
    owner.kill("SIGKILL");
    await owner.exited();
    expect(lookAtKernelLocks().ask(place)).toEqual({ verdict: "free" });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
  });

  test("knows an owner whose file was deleted", async () => {
    const owner = await startProgram({ name: "owner.js", args: [JSON.stringify(place)] });
    rmSync(lockPathFor(place.lockDir, place.configPath));
    const answer = lookAtKernelLocks().ask(place);
    expect(answer.verdict === "held" && answer.findHolders().map(({ pid }) => pid)).toEqual([owner.child.pid]);
  });
});
