import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { leasePhase, leaseTimes } from "../../src/lease/lease-deadline.ts";

const TTL_SECONDS = 10;
const TTL_MS = TTL_SECONDS * 1_000;

/** One renewal: when it is sent after the one before, how long each way takes, and whether the answer is lost. */
const renewal = fc.record({
  gapMs: fc.integer({ min: 50, max: 6_000 }),
  thereMs: fc.integer({ min: 0, max: 9_000 }),
  backMs: fc.integer({ min: 0, max: 9_000 }),
  isLost: fc.boolean(),
});

const world = fc.record({
  /** Two clocks whose rates differ by at most 1 %; they may show any time. */
  ownerRate: fc.double({ min: 0.995, max: 1.005, noNaN: true }),
  engineRate: fc.double({ min: 0.995, max: 1.005, noNaN: true }),
  ownerOffsetMs: fc.integer({ min: 0, max: 1e9 }),
  grantThereMs: fc.integer({ min: 0, max: 3_000 }),
  renewals: fc.array(renewal, { maxLength: 12 }),
  /** From the look at the clock to the last process gone, including one tick of the sentinel. */
  killMs: fc.integer({ min: 0, max: 1_000 }),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** Returns when the owner's gateway is gone and when the engine lets another host own, both in real milliseconds. */
function play(
  seen: World,
  margin?: number,
  countsFrom: "sentAt" | "knownAt" = "sentAt",
): { goneAtMs: number; freeAtMs: number } {
  const times = leaseTimes(TTL_SECONDS, margin);
  const show = (realMs: number): number => Math.floor((seen.ownerOffsetMs + realMs * seen.ownerRate) / 10) * 10;
  const lifeMs = TTL_MS / seen.engineRate;
  let sentAt = 0;
  const sent = seen.renewals.map(({ gapMs, thereMs, backMs, isLost }) => {
    sentAt += gapMs;
    return { sentAt, heardAt: sentAt + thereMs, knownAt: isLost ? Infinity : sentAt + thereMs + backMs };
  });
  let freeAtMs = seen.grantThereMs + lifeMs;
  const good = new Set<(typeof sent)[number]>();
  for (const each of [...sent].sort((a, b) => a.heardAt - b.heardAt)) {
    if (each.heardAt >= freeAtMs) continue;
    freeAtMs = Math.max(freeAtMs, each.heardAt + lifeMs);
    good.add(each);
  }
  for (let realMs = 0; ; realMs += 10) {
    const known = sent.filter((each) => good.has(each) && each.knownAt <= realMs).map((each) => show(each[countsFrom]));
    if (leasePhase(times, Math.max(show(0), ...known), show(realMs)) === "over") {
      // The owner sends nothing after its own end.
      const heard = sent.filter((each) => good.has(each) && each.sentAt <= realMs);
      const last = Math.max(seen.grantThereMs, ...heard.map((each) => each.heardAt));
      return { goneAtMs: realMs + seen.killMs, freeAtMs: Math.min(freeAtMs, last + lifeMs) };
    }
  }
}

describe("the deadline of a lease", () => {
  test("passes before another host can own the lease, for all delays, lost answers and clocks within 1 %", () => {
    fc.assert(
      fc.property(world, (seen) => {
        const { goneAtMs, freeAtMs } = play(seen);
        expect(goneAtMs).toBeLessThanOrEqual(freeAtMs);
      }),
      { numRuns: 2_000 },
    );
  });

  test("would fail without its margin (control)", () => {
    const property = fc.property(world, (seen) => {
      const { goneAtMs, freeAtMs } = play(seen, 0);
      return goneAtMs <= freeAtMs;
    });
    expect(fc.check(property, { numRuns: 2_000 }).failed).toBe(true);
  });

  test("would fail if it counted from the answer instead of the request (control)", () => {
    const property = fc.property(world, (seen) => {
      const { goneAtMs, freeAtMs } = play(seen, undefined, "knownAt");
      return goneAtMs <= freeAtMs;
    });
    expect(fc.check(property, { numRuns: 2_000 }).failed).toBe(true);
  });

  test("leaves room for two failed tries of three endpoints before anything is stopped", () => {
    const times = leaseTimes(30);
    expect(times.renewAfterMs + 3 * times.attemptMs).toBeLessThan(times.askAfterMs);
    expect(times.askAfterMs).toBeLessThan(times.endAfterMs);
    expect(times.endAfterMs).toBeLessThan(times.ttlMs);
  });

  test("treats a clock that went back, or shows nothing, as expired", () => {
    const times = leaseTimes(30);
    expect(leasePhase(times, 1_000, 999)).toBe("over");
    expect(leasePhase(times, 1_000, Number.NaN)).toBe("over");
    expect(leasePhase(times, 1_000, 1_000)).toBe("held");
    expect(leasePhase(times, 0, times.askAfterMs)).toBe("doubtful");
    expect(leasePhase(times, 0, times.endAfterMs)).toBe("over");
  });
});
