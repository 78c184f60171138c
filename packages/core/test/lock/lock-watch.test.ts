/** The watch over a held lock, with fake timers: a passing failure costs nothing, a lasting one costs the lock. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { GatewayLockError } from "../../src/errors.ts";
import { watchClaim } from "../../src/lock/lock-watch.ts";
import type { Claim } from "../../src/lock/mechanism/claim.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-watch-"));
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** A claim whose file is never in place; each look asks `restore`. */
function watch(restore: () => Promise<"restored" | "refused">): { readonly losses: GatewayLockError[] } {
  const losses: GatewayLockError[] = [];
  const claim: Claim = {
    mechanism: "kernel",
    fd: -1,
    previous: undefined,
    isInPlace: () => "no",
    write: () => undefined,
    restore,
    release: async () => undefined,
  };
  const path = join(home, "gateway.lock");
  watchClaim({ path, claim, record: () => new Uint8Array(), onLost: (reason) => losses.push(reason) });
  return { losses };
}

test("forgets failures that passed: ten in a row cost the lock; nine, again and again, do not", async () => {
  let looks = 0;
  let fails = (): boolean => looks % 10 !== 0;
  const { losses } = watch(async () => {
    looks += 1;
    if (fails()) throw new Error("the disk is full");
    return "restored";
  });
  for (let second = 0; second < 100; second++) await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toBe(100);
  expect(losses).toEqual([]);
  fails = () => true;
  for (let second = 0; second < 10; second++) await vi.advanceTimersByTimeAsync(1_000);
  expect(losses.map(({ code }) => code)).toEqual(["LOCK_LOST"]);
});

test("says no more about the new owner than it knows", async () => {
  const { losses } = watch(async () => "refused");
  for (let second = 0; second < 3; second++) await vi.advanceTimersByTimeAsync(1_000);
  expect(losses.map(({ code }) => code)).toEqual(["LOCK_LOST"]);
  expect(losses[0]?.hint).not.toMatch(/no second gateway/);
});
