import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, describe, expect, test, onTestFinished } from "vitest";

import { ownIdentity } from "../../../src/host/process-identity.ts";
import { acquireGatewayLockBy, lockPathFor } from "../../../src/lock/gateway-lock.ts";
import { inspectGatewayLock } from "../../../src/lock/inspect.ts";
import type { GatewayLock } from "../../../src/lock/gateway-lock.ts";
import type { LockMechanism } from "../../../src/lock/lock-record.ts";
import { LOCK_RECORD_BYTES, parseLockRecord } from "../../../src/lock/lock-record.ts";
import { ownNetworkNamespace } from "../../../src/host/proc.ts";

let place: { lockDir: string; configPath: string };
let path: string;

beforeEach(() => {
  const home = mkdtempSync(join(tmpdir(), "lk-fallback-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
  path = lockPathFor(place.lockDir, place.configPath);
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
});

async function acquire(mechanism: LockMechanism, timeoutMs = 50): Promise<GatewayLock> {
  const lock = await acquireGatewayLockBy([mechanism], { ...place, timeoutMs });
  onTestFinished(() => lock.release());
  return lock;
}

/** Leaves the record of a `socket` owner like us, with changes. */
function leaveRecord(changes: object): void {
  mkdirSync(place.lockDir, { recursive: true, mode: 0o700 });
  const record = {
    v: 1,
    mechanism: "socket",
    ...ownIdentity(),
    networkNamespace: ownNetworkNamespace(),
    nonce: "0".repeat(32),
    ...changes,
  };
  writeFileSync(path, JSON.stringify(record), { mode: 0o600 });
}

const HELD = { code: "LOCK_HELD", ownerPid: process.pid };

describe.runIf(process.platform === "linux")("two mechanisms on one lock", () => {
  test("do not mix: the socket's owner keeps a kernel claim out, and keeps its record", async () => {
    const lock = await acquire("socket");
    await expect(acquire("kernel")).rejects.toMatchObject(HELD);
    expect(parseLockRecord(readFileSync(path))).toEqual({ record: lock.record });
    await lock.release();
    await acquire("kernel");
  });

  test("do not mix: the kernel's owner keeps a socket claim out, and keeps its record", async () => {
    const lock = await acquire("kernel");
    await expect(acquire("socket")).rejects.toMatchObject(HELD);
    expect(parseLockRecord(readFileSync(path))).toEqual({ record: lock.record });
    await lock.release();
    await acquire("socket");
  });

  test("take turns in any order under contention", async () => {
    let inside = 0;
    const one = async (mechanism: LockMechanism): Promise<void> => {
      const lock = await acquireGatewayLockBy([mechanism], { ...place, timeoutMs: 30_000 });
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      inside -= 1;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 24 }, (_, index) => one(index % 2 === 0 ? "kernel" : "socket")));
    expect(existsSync(path)).toBe(false);
  });

  test("fall back when the first is not available, and the record says so", async () => {
    const lock = await acquire("socket");
    expect(lock.record).toMatchObject({ mechanism: "socket", networkNamespace: ownNetworkNamespace() });
    expect(statSync(path).size).toBe(LOCK_RECORD_BYTES);
  });

  test("are refused when neither is safe", async () => {
    await expect(acquireGatewayLockBy([], place)).rejects.toMatchObject({
      name: "GatewayLockError",
      code: "LOCK_UNSUPPORTED",
      hint: expect.stringContaining("local disk"),
    });
    expect(existsSync(path)).toBe(false);
  });
});

describe.runIf(process.platform === "linux").each([["kernel"], ["socket"]] as const)(
  "the record of a socket's owner, met by a %s starter",
  (mechanism) => {
    test("is stale when its socket is free, though its pid lives", async () => {
      leaveRecord({});
      await expect(acquire(mechanism)).resolves.toBeDefined();
    });

    test("counts when it may live in another network namespace", async () => {
      leaveRecord({ networkNamespace: "1" });
      await expect(acquire(mechanism)).rejects.toMatchObject({ code: "LOCK_HELD" });
      leaveRecord({ networkNamespace: "1", pidNamespace: "1" });
      await expect(acquire(mechanism)).rejects.toMatchObject({ code: "LOCK_HELD" });
      expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "unknown" });
    });

    test("is stale when that owner is certainly gone", async () => {
      leaveRecord({ networkNamespace: "1", startTicks: 1 });
      await expect(acquire(mechanism)).resolves.toBeDefined();
    });

    test("is stale after a restart of the host, on a local disk", async () => {
      leaveRecord({ networkNamespace: "1", bootId: "11111111-2222-3333-4444-555555555555" });
      await expect(acquire(mechanism)).resolves.toBeDefined();
    });
  },
);
