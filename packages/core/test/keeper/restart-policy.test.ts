import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decideGuardedRestart, decideRestart, GUARDED_BOUND, RESTART_BOUND } from "../../src/keeper/restart-policy.ts";

const WINDOW_MS = 5 * 60_000;

describe("decideRestart", () => {
  test("restarts almost at once, then more slowly, then gives up at the fifth crash", () => {
    const crashes = [0, 1, 2, 3, 4].map((count) => decideRestart(range(count + 1), count, 0.999_999));
    expect(crashes).toEqual([
      { action: "restart", delayMs: 250, crashes: 1 },
      { action: "restart", delayMs: 500, crashes: 2 },
      { action: "restart", delayMs: 1_000, crashes: 3 },
      { action: "restart", delayMs: 2_000, crashes: 4 },
      { action: "give-up", crashes: 5 },
    ]);
  });

  test("never lets a gateway start more than five times within any five minutes, however it crashes", () => {
    const lives = fc.array(fc.oneof(fc.nat(5_000), fc.nat(2 * WINDOW_MS)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(lives, fc.double({ min: 0, max: 0.999, noNaN: true }), (livesMs, random) => {
        let nowMs = 0;
        const starts: number[] = [];
        const crashes: number[] = [];
        for (const lifeMs of livesMs) {
          starts.push(nowMs);
          nowMs += lifeMs;
          crashes.push(nowMs);
          const decision = decideRestart(crashes, nowMs, random);
          if (decision.action === "give-up") break;
          expect(decision.delayMs).toBeGreaterThan(0);
          nowMs += decision.delayMs;
        }
        for (const from of crashes) {
          expect(crashes.filter((at) => at >= from && at - from < WINDOW_MS).length).toBeLessThanOrEqual(5);
        }
        expect(starts).toHaveLength(crashes.length);
      }),
    );
  });

  test("forgets crashes older than the window", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 50 }), (old) => {
        const nowMs = WINDOW_MS + 1_001;
        expect(decideRestart([...old, nowMs], nowMs, 0)).toMatchObject({ action: "restart", crashes: 1 });
      }),
    );
  });
});

describe("the delay", () => {
  test("is spread over the upper half of its maximum", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (count, random) => {
          const decision = decideRestart(range(count), count, random);
          const most = 250 * 2 ** (count - 1);
          const wanted = (most / 2) * (1 + random);
          expect(decision.action === "restart" && Math.abs(decision.delayMs - wanted)).toBeLessThan(0.51);
        },
      ),
    );
  });
});

describe("a bound", () => {
  const times = fc.array(fc.oneof(fc.nat(WINDOW_MS), fc.nat(20 * WINDOW_MS)), { minLength: 1, maxLength: 12 });

  test.each([
    ["crashes", WINDOW_MS, 4, (at: readonly number[], nowMs: number) => decideRestart(at, nowMs, 0).action],
    ["guarded restarts", 12 * WINDOW_MS, 3, decideGuardedRestart],
  ] as const)("of %s counts only those within the window", (_, windowMs, limit, decide) => {
    fc.assert(
      fc.property(times, fc.boolean(), (ages, hasOneOnTheEdge) => {
        const nowMs = 30 * WINDOW_MS;
        const at = [...ages, ...(hasOneOnTheEdge ? [windowMs, windowMs - 1] : [])].map((age) => nowMs - age);
        const within = at.filter((time) => time > nowMs - windowMs).length;
        expect(decide(at, nowMs)).toBe(within > limit ? "give-up" : "restart");
      }),
      { numRuns: 500 },
    );
  });

  test("is described in words that are true of it", () => {
    expect(RESTART_BOUND).toBe("5 crashes in 5 minutes");
    expect(GUARDED_BOUND).toBe("3 such restarts in 60 minutes");
  });
});

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
