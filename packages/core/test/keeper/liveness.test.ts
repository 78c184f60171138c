import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Observation } from "../../src/keeper/liveness.ts";
import { ALIVE, judgeLiveness } from "../../src/keeper/liveness.ts";

const observation: fc.Arbitrary<Observation> = fc.record({
  health: fc.constantFrom("ok", "failing", "unknown"),
  lateMs: fc.oneof(fc.constant(0), fc.nat(10_000_000)),
});

/** One letter for each look: good, too late to tell, failing; nothing for a look without a result. */
function letter({ health, lateMs }: Observation): string {
  if (health === "ok") return "o";
  if (lateMs > 5_000) return "l";
  return health === "failing" ? "f" : "";
}

describe("judgeLiveness", () => {
  test("calls a gateway unresponsive only after three consecutive failures that were seen in time", () => {
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 40 }), (seen) => {
        let liveness = ALIVE;
        for (const [index, look] of seen.entries()) {
          const before = liveness.state;
          liveness = judgeLiveness(liveness, look);
          if (liveness.state === "unresponsive" && before === "running") {
            const telling = seen.slice(0, index + 1).filter(({ health }) => health !== "unknown");
            expect(telling.slice(-3).map(({ health }) => health)).toEqual(["failing", "failing", "failing"]);
            expect(look.lateMs).toBeLessThanOrEqual(5_000);
          }
        }
      }),
    );
  });

  test("is unresponsive exactly from three timely failures in a row until the next good answer", () => {
    const looks = fc.array(
      fc.record<Observation>({
        health: fc.constantFrom("ok", "failing", "failing", "failing", "unknown"),
        lateMs: fc.constantFrom(0, 0, 0, 5_000, 5_001, 10_000_000),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(looks, (seen) => {
        const story = seen.map(letter).join("");
        const sinceOk = story.slice(story.lastIndexOf("o") + 1);
        expect(seen.reduce(judgeLiveness, ALIVE)).toEqual({
          state: sinceOk.includes("fff") ? "unresponsive" : "running",
          failures: Math.min(3, /f*$/.exec(sinceOk)?.[0].length ?? 0),
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test("is healthy again with the first good answer, however late it is seen", () => {
    fc.assert(
      fc.property(fc.array(observation), fc.nat(), (seen, lateMs) => {
        const before = seen.reduce(judgeLiveness, ALIVE);
        expect(judgeLiveness(before, { health: "ok", lateMs })).toEqual(ALIVE);
      }),
    );
  });

  test("does not count the time that the host slept", () => {
    const twice = [1, 2].reduce((before) => judgeLiveness(before, { health: "failing", lateMs: 0 }), ALIVE);
    expect(judgeLiveness(twice, { health: "failing", lateMs: 3_600_000 })).toEqual(ALIVE);
  });
});
