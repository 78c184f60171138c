import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, nearestNames } from "../src/nearest-names.ts";

describe("nearestNames", () => {
  const known = ["dev", "prod", "staging", "prod-eu"];
  test.each([
    ["dve", ["dev"]],
    ["prd", ["prod"]],
    ["stagign", ["staging"]],
    ["pro", ["prod", "prod-eu"]],
    ["zzz", []],
  ])("%s: %j", (word, expected) => expect(nearestNames(word, known)).toEqual(expected));

  test("the distance is symmetric, zero only for equals, and never more than replacing everything", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
