/** What a refused starter does until the lock is free. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { readyLockList } from "../../src/host/lock-list-readiness.ts";
import { acquireGatewayLock } from "../../src/lock/gateway-lock.ts";

vi.mock("../../src/host/lock-list-readiness.ts", { spy: true });

let home: string;
let place: { lockDir: string; configPath: string };

beforeEach(() => {
  vi.mocked(readyLockList).mockClear();
  home = mkdtempSync(join(tmpdir(), "lk-wait-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

test("a waiter keeps the kernel ready to list its locks, from its first refusal until it owns", async () => {
  const owner = await acquireGatewayLock(place);
  expect(readyLockList).not.toHaveBeenCalled();
  const next = acquireGatewayLock({ ...place, timeoutMs: 60_000 });
  await vi.waitFor(() => expect(vi.mocked(readyLockList).mock.calls.length).toBeGreaterThan(2), { timeout: 30_000 });
  await owner.release();
  const lock = await next;
  const calls = vi.mocked(readyLockList).mock.calls.length;
  await lock.release();
  expect(readyLockList).toHaveBeenCalledTimes(calls);
});
