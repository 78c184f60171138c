import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createFailureBudget } from "../../src/gateway/failure-budget.ts";
import type { Attempt, BudgetLimits } from "../../src/gateway/failure-budget.ts";

const LIMITS: BudgetLimits = { failures: 3, windowMs: 1_000, refusalMs: 5_000, sources: 4 };

/** Sources by their key: `network` is the network of a source, and `local:` begins a source on this machine. */
function budget(limits: BudgetLimits = LIMITS): (key: string, now: number, network?: string) => Attempt {
  const attempt = createFailureBudget(limits);
  return (key, now, network = `network of ${key}`) =>
    attempt({ key, network: key.startsWith("local:") ? null : network }, now);
}

test("after that many failures within the window a source is refused for the full time", () => {
  const attempt = budget();
  for (const at of [0, 10, 20]) expect(attempt("a", at).verdict).toBe("admitted");
  expect(attempt("a", 21)).toEqual({ verdict: "refused", waitMs: 4_999, first: true });
  expect(attempt("a", 5_019).verdict).toBe("refused");
  expect(attempt("a", 5_020).verdict).toBe("admitted");
  expect(attempt("b", 21).verdict).toBe("admitted");
});

test("failures that are spread wider than the window do not add up", () => {
  const attempt = budget();
  for (let at = 0; at < 20_000; at += 501) expect(attempt("a", at).verdict).toBe("admitted");
});

test("a correct attempt gives back its own count and no other", () => {
  const attempt = budget();
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

test("each refusal is reported once", () => {
  const attempt = budget();
  const tell = (at: number): boolean | undefined => {
    const answer = attempt("a", at);
    return answer.verdict === "refused" ? answer.first : undefined;
  };
  expect([0, 1, 2, 3, 4].map(tell)).toEqual([undefined, undefined, undefined, true, false]);
  expect([6_000, 6_001, 6_002, 6_003, 6_004].map(tell)).toEqual([undefined, undefined, undefined, true, false]);
});

test("a full table forgets no refused source; new sources are counted by their network", () => {
  const attempt = budget();
  for (const source of ["a", "b", "c", "d"]) for (const at of [0, 1, 2]) attempt(source, at, "n");
  for (const source of ["e", "f", "g"]) expect(attempt(source, 3, "m").verdict).toBe("admitted");
  expect(attempt("h", 4, "m").verdict).toBe("refused");
  expect(attempt("i", 4, "another").verdict).toBe("admitted");
  expect(attempt("a", 4, "n").verdict).toBe("refused");
  expect(attempt("j", 10_000, "m").verdict).toBe("admitted");
});

test("a source that failed once is forgotten to make room, before new sources are counted together", () => {
  const attempt = budget();
  for (let source = 0; source < 1_000; source += 1) expect(attempt(`s${source}`, 0, "n").verdict).toBe("admitted");
  expect(attempt("owner", 1, "n").verdict).toBe("admitted");
});

test("sources elsewhere, however many, do not affect those on this machine", () => {
  const attempt = budget();
  for (let source = 0; source < 1_000; source += 1)
    for (const at of [0, 1, 2, 3]) attempt(`s${source}`, at, `n${source}`);
  expect(attempt("one more", 4, "one more").verdict).toBe("refused");
  expect(attempt("local: tools", 4).verdict).toBe("admitted");
  expect(attempt("local: pages", 4).verdict).toBe("admitted");
});

test("no sequence of wrong attempts exceeds the limit within one window", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 200 }), (pauses) => {
      const attempt = budget();
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

test("correct attempts leave no trace: a source is refused exactly when it was wrong that often within the window", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(0, 1, 499, 500, 999, 1_000, 4_999, 5_000), fc.boolean()), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (attempts) => {
      const attempt = budget();
      let now = 0;
      let wrong: number[] = [];
      let refusedUntil = 0;
      for (const [pause, isRight] of attempts) {
        now += pause;
        const answer = attempt("a", now);
        expect(answer).toMatchObject(
          now < refusedUntil ? { verdict: "refused", waitMs: refusedUntil - now } : { verdict: "admitted" },
        );
        if (answer.verdict === "refused") continue;
        if (isRight) {
          answer.giveBack();
          continue;
        }
        wrong = [...wrong.filter((at) => at > now - LIMITS.windowMs), now];
        if (wrong.length >= LIMITS.failures) refusedUntil = now + LIMITS.refusalMs;
      }
    }),
    { numRuns: 1_000 },
  );
});

test("concurrent attempts allow no extra guesses, and correct ones are given back in any order", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2], { minLength: 1 }), (right) => {
      const attempt = budget();
      const atOnce = Array.from({ length: 10 }, () => attempt("a", 7)).filter(({ verdict }) => verdict === "admitted");
      expect(atOnce).toHaveLength(LIMITS.failures);
      for (const index of right) {
        const each = atOnce[index];
        if (each?.verdict === "admitted") each.giveBack();
      }
      const more = Array.from({ length: 10 }, () => attempt("a", 8)).filter(({ verdict }) => verdict === "admitted");
      expect(more).toHaveLength(right.length);
    }),
  );
});

test("an attempt is given back only once", () => {
  const attempt = budget();
  attempt("a", 0);
  const right = attempt("a", 1);
  if (right.verdict !== "admitted") throw new Error("it was refused");
  right.giveBack();
  right.giveBack();
  expect([2, 3, 4].map((at) => attempt("a", at).verdict)).toEqual(["admitted", "admitted", "refused"]);
  right.giveBack();
  expect(attempt("a", 5).verdict).toBe("refused");
});

/**
 * Returns how many of ten wrong attempts are admitted: from ten new sources in one network, or from ten sources in
 * networks of their own.
 */
function countAdmitted(attempt: ReturnType<typeof budget>, now: number): number {
  const newcomers = Array.from({ length: 10 }, (_, index) => attempt(`newcomer ${index}`, now, "theirs"));
  return newcomers.filter(({ verdict }) => verdict === "admitted").length;
}

test("a source is forgotten for a new one when its failures and its refusal are over, and not before", () => {
  const cases = [
    { failures: [0, 0], from: 1_000 },
    { failures: [0, 500], from: 1_500 },
    { failures: [0, 0, 0], from: 5_000 },
    { failures: [0, 500, 900], from: 5_900 },
    { failures: [0, 100, 900], from: 1_900, most: 4 },
  ];
  for (const { failures, from, most = LIMITS.failures } of cases) {
    for (const [now, isForgotten] of [
      [from - 1, false],
      [from, true],
    ] as const) {
      const attempt = budget({ ...LIMITS, failures: most, sources: 10 });
      for (let source = 0; source < 10; source += 1) for (const at of failures) attempt(`s${source}`, at);
      expect(countAdmitted(attempt, now)).toBe(isForgotten ? 10 : most);
    }
  }
});

test("a new source in the place of a forgotten one has one count, not two", () => {
  const attempt = budget();
  for (const source of ["a", "b", "c", "d"]) for (const at of [0, 0]) attempt(source, at);
  const verdicts = Array.from({ length: 10 }, () => attempt("newcomer", 1_000).verdict);
  expect(verdicts.filter((verdict) => verdict === "admitted")).toHaveLength(LIMITS.failures);
});

test("a source that failed twice, or that is refused after one failure, is not forgotten for new ones", () => {
  const attempt = budget();
  for (const source of ["a", "b", "c", "d"]) for (const at of [0, 1]) attempt(source, at);
  expect(countAdmitted(attempt, 2)).toBe(LIMITS.failures);
  expect([attempt("a", 3).verdict, attempt("a", 4).verdict]).toEqual(["admitted", "refused"]);

  const strict = budget({ ...LIMITS, failures: 1, windowMs: 10_000 });
  for (const source of ["a", "b", "c", "d"]) strict(source, 0);
  strict("e", 4_999);
  expect(strict("a", 4_999).verdict).toBe("refused");
  // Its refusal is over, and one failure is little: it makes room.
  expect(strict("f", 5_000, "network of e").verdict).toBe("admitted");
});
