import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decideRestart } from "../../src/keeper/restart-policy.ts";

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

  test("forgets what is older than the window", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 50 }), (old) => {
        const nowMs = WINDOW_MS + 1_001;
        expect(decideRestart([...old, nowMs], nowMs, 0)).toMatchObject({ action: "restart", crashes: 1 });
      }),
    );
  });
});

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
