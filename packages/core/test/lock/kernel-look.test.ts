/** A look at a lock whose gateway is seen to hold it needs no list of locks; and no record alone makes a lock held. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isLockedBy } from "../../src/host/lock-holders.ts";
import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { identifyProcess } from "../../src/host/process-identity.ts";
import { acquireGatewayLock } from "../../src/lock/gateway-lock.ts";
import { lookAtKernelLocks } from "../../src/lock/kernel-look.ts";
import { formatLockRecord } from "../../src/lock/lock-record.ts";

let home: string;
let place: { lockDir: string; configPath: string };
const ends: (() => Promise<void>)[] = [];

beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), "lk-look-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts a process that has `fd` as its descriptor 3. */
async function withDescriptor(fd: number): Promise<ProcessIdentity> {
  const child = spawn("sleep", ["600"], { stdio: ["ignore", "ignore", "ignore", fd] });
  const ended = once(child, "exit");
  ends.push(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await once(child, "spawn");
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error("the child does not run");
  return identity;
}

function open(path: string): number {
  const fd = fs.openSync(path, "r+");
  ends.push(async () => fs.closeSync(fd));
  return fd;
}

describe.runIf(process.platform === "linux")("a lock file", () => {
  test("is locked by the process that has our lock as a descriptor, and by no other that has it open", async () => {
    const lock = await acquireGatewayLock(place);
    ends.push(async () => lock.release());
    const ours = open(lock.path);
    const { pid: heir } = await withDescriptor(lock.fd);
    const { pid: reader } = await withDescriptor(ours);
    expect(isLockedBy(heir, 3, ours)).toBe(true);
    expect(isLockedBy(heir, 0, ours)).toBe(false);
    expect(isLockedBy(heir, 9, ours)).toBe(false);
    expect(isLockedBy(reader, 3, ours)).toBe(false);
    fs.writeFileSync(join(home, "another"), "");
    expect(isLockedBy(heir, 3, open(join(home, "another")))).toBe(false);
  });

  test("is not locked by who has another kind of lock on it", async (context) => {
    fs.writeFileSync(join(home, "file"), "");
    const fd = open(join(home, "file"));
    const { error, status } = spawnSync("flock", ["--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    if (error !== undefined) return context.skip("there is no flock here");
    expect(status).toBe(0);
    expect(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")).toContain(" FLOCK ");
    const { pid } = await withDescriptor(fd);
    expect(isLockedBy(pid, 3, fd)).toBe(false);
  });

  test("is held while its gateway has it, with the list and without; and free when only the record is left", async () => {
    const lock = await acquireGatewayLock(place);
    const { pid, startTicks } = await withDescriptor(lock.fd);
    lock.update({ gateway: { pid, startTicks } });
    for (const needs of ["answers", "list"] as const) {
      expect(lookAtKernelLocks(needs).ask(place)).toMatchObject({ verdict: "held", path: lock.path });
    }
    const record = fs.readFileSync(lock.path);
    for (const end of ends.splice(0)) await end();
    await lock.release();
    // The same record, and nobody who has the lock.
    fs.writeFileSync(lock.path, record);
    expect(lookAtKernelLocks().ask(place)).toEqual({ verdict: "free" });
  });

  test("is free though its record names a living process, with that very file or another as descriptor 3", async () => {
    const lock = await acquireGatewayLock(place);
    const { path, record } = lock;
    await lock.release();
    fs.writeFileSync(path, "");
    const other = join(home, "other");
    fs.writeFileSync(other, "");
    for (const file of [path, other]) {
      const { pid, startTicks } = await withDescriptor(open(file));
      fs.writeFileSync(path, formatLockRecord({ ...record, gateway: { pid, startTicks } }));
      expect(lookAtKernelLocks().ask(place)).toEqual({ verdict: "free" });
    }
  });
});
