import * as fc from "fast-check";
import { expect, test } from "vitest";
import { comesBefore, compareNames } from "../src/profile-name.ts";

function partsOf(name: string): readonly string[] {
  return name.match(/\d+|\D+/g) ?? [];
}

test("numbers in names count by their value", () => {
  const sorted = ["exp-1", "exp-2", "exp-10", "exp-10a", "exp-10b", "prod", "prod-2"];
  expect(sorted.toReversed().sort(compareNames)).toEqual(sorted);
});

test("the first part that differs decides: a number by its value, then by its spelling; otherwise the letters", () => {
  const name = fc.stringMatching(/^[ab019-]{0,8}$/);
  fc.assert(
    fc.property(name, name, name, (start, a, b) => {
      const [left, right] = [partsOf(start + a), partsOf(start + b)];
      const index = left.findIndex((part, place) => part !== right[place]);
      const [one, other] = [left[index], right[index]];
      let expected = index === -1 ? left.length - right.length : 1;
      if (one !== undefined && other !== undefined) {
        expected = Number(one) - Number(other) || (one < other ? -1 : 1);
      }
      expect(Math.sign(compareNames(start + a, start + b))).toBe(Math.sign(expected));
    }),
    { numRuns: 2_000 },
  );
});

test("a hyphen at the end is not the smaller digit", () => {
  expect(comesBefore("a-", "a1")).toBe(false);
  expect(comesBefore("a1", "a-")).toBe(true);
});

test("numbers of equal value with different spellings are two names", () => {
  for (const [a, b] of [
    ["a-1", "a-01"],
    ["1", "001"],
    ["a0", "a00"],
  ] as const)
    expect(Math.sign(compareNames(a, b)) * Math.sign(compareNames(b, a))).toBe(-1);
});

test("the order is total: no two names are equal, and the order does not depend on the side", () => {
  const name = fc.stringMatching(/^[a-c0-2-]{0,6}$/);
  fc.assert(
    fc.property(name, name, (a, b) => {
      const [one, other] = [compareNames(a, b), compareNames(b, a)];
      expect(Math.sign(one) + Math.sign(other)).toBe(0);
      expect(one === 0).toBe(a === b);
    }),
  );
});

test("the quick question about neighbours has the same answer", () => {
  const name = fc.stringMatching(/^[ab0189-]{0,5}$/);
  fc.assert(
    fc.property(name, name, name, (start, a, b) => {
      expect(comesBefore(start + a, start + b)).toBe(compareNames(start + a, start + b) < 0);
    }),
    { numRuns: 2_000 },
  );
});
