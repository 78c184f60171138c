import * as fc from "fast-check";
import { expect, test } from "vitest";
import { failureBudget, type BudgetLimits } from "../../src/gateway/failure-budget.ts";

const LIMITS: BudgetLimits = { failures: 3, windowMs: 1_000, refusalMs: 5_000, sources: 4 };

test("after so many failures within the window a source is refused for the whole time", () => {
  const attempt = failureBudget(LIMITS);
  for (const at of [0, 10, 20]) expect(attempt("a", at).verdict).toBe("admitted");
  expect(attempt("a", 21)).toEqual({ verdict: "refused", waitMs: 4_999 });
  expect(attempt("a", 5_019).verdict).toBe("refused");
  expect(attempt("a", 5_020).verdict).toBe("admitted");
  expect(attempt("b", 21).verdict).toBe("admitted");
});

test("failures that are spread wider than the window do not add up", () => {
  const attempt = failureBudget(LIMITS);
  for (let at = 0; at < 20_000; at += 501) expect(attempt("a", at).verdict).toBe("admitted");
});

test("a right attempt gives back its own count and no other", () => {
  const attempt = failureBudget(LIMITS);
  attempt("a", 0);
  attempt("a", 1);
  for (let at = 2; at < 50; at += 1) {
    const admitted = attempt("a", at);
    if (admitted.verdict === "admitted") admitted.giveBack();
    expect(admitted.verdict).toBe("admitted");
  }
  expect(attempt("a", 60).verdict).toBe("admitted");
  expect(attempt("a", 61).verdict).toBe("refused");
});

test("a full table forgets nobody who is refused; newcomers share one entry", () => {
  const attempt = failureBudget(LIMITS);
  for (const source of ["a", "b", "c", "d"]) for (const at of [0, 1, 2]) attempt(source, at);
  for (const source of ["e", "f", "g"]) expect(attempt(source, 3).verdict).toBe("admitted");
  expect(attempt("h", 4).verdict).toBe("refused");
  expect(attempt("a", 4).verdict).toBe("refused");
  expect(attempt("i", 10_000).verdict).toBe("admitted");
});

test("no sequence of wrong attempts gets more than the limit within one window", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 200 }), (pauses) => {
      const attempt = failureBudget(LIMITS);
      const admitted: number[] = [];
      let now = 0;
      for (const pause of pauses) {
        now += pause;
        if (attempt("a", now).verdict === "admitted") admitted.push(now);
      }
      for (const at of admitted) {
        const inWindow = admitted.filter((other) => other > at - LIMITS.windowMs && other <= at);
        expect(inWindow.length).toBeLessThanOrEqual(LIMITS.failures);
      }
    }),
  );
});
