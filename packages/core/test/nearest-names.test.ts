import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { didYouMean, editDistance, nearestNames } from "../src/nearest-names.ts";

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

  test("the nearest come first, equally near ones by name, at most three", () => {
    const many = ["abcdxy", "abcdez", "abcdeb", "zbcdef", "abcdea", "abxxef"];
    expect(nearestNames("abcdef", many)).toEqual(["abcdea", "abcdeb", "abcdez"]);
    expect(nearestNames("abcdef", ["abcdxy", "abxxef", "zbcdef"])).toEqual(["zbcdef", "abcdxy", "abxxef"]);
    expect(nearestNames("abcdef", ["abxxef", "abcdxy"])).toEqual(["abcdxy", "abxxef"]);
  });

  test("a third of a word may be wrong, and one letter of a short word", () => {
    expect(nearestNames("abcdefghi", ["abcdefxyz", "abcdewxyz"])).toEqual(["abcdefxyz"]);
    expect(nearestNames("ab", ["ax", "xy"])).toEqual(["ax"]);
    expect(nearestNames("", ["x", "dev"])).toEqual(["x"]);
  });

  test("a question names them; without any there is no question", () => {
    expect(didYouMean("dve", known)).toBe("Did you mean dev?");
    expect(didYouMean("pro", known)).toBe("Did you mean prod or prod-eu?");
    expect(didYouMean("zzz", known)).toBeUndefined();
  });

  test.each([
    ["ab", "ba", 1],
    ["xab", "yba", 2],
    ["abc", "bac", 1],
    ["xxab", "yyba", 3],
    // The restricted distance: swapped letters are not changed again.
    ["ca", "abc", 3],
  ])("%s and %s are %i apart", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(`q${a}q`, `q${b}q`)).toBe(distance);
  });

  test("n typing errors give a distance of at most n", () => {
    const word = fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 8 });
    const slips = fc.array(
      fc.tuple(fc.constantFrom("insert", "delete", "replace"), fc.nat(8), fc.constantFrom(..."abc")),
      {
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(word, slips, (from, edits) => {
        let to = from;
        for (const [kind, place, letter] of edits) {
          const at = Math.min(place, to.length);
          to = to.slice(0, at) + (kind === "delete" ? "" : letter) + to.slice(kind === "insert" ? at : at + 1);
        }
        expect(editDistance(from, to)).toBeLessThanOrEqual(edits.length);
      }),
    );
  });
});
