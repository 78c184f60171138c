import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareNames } from "../src/profile-name.ts";

test("numbers in names count by their value", () => {
  const sorted = ["exp-1", "exp-2", "exp-10", "exp-10a", "exp-10b", "prod", "prod-2"];
  expect(sorted.toReversed().sort(compareNames)).toEqual(sorted);
});

test("it orders totally: no two names are equal, and the order does not depend on the side", () => {
  const name = fc.stringMatching(/^[a-c0-2-]{1,6}$/);
  fc.assert(
    fc.property(name, name, (a, b) => {
      const [one, other] = [compareNames(a, b), compareNames(b, a)];
      expect(Math.sign(one) + Math.sign(other)).toBe(0);
      expect(one === 0).toBe(a === b);
    }),
  );
});
