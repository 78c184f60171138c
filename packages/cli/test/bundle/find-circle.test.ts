/** Tests which files count as needing each other in a circle. */
import { createRequire } from "node:module";
import { expect, test } from "vitest";

type Needed = ReadonlyMap<string, readonly string[]>;

const require = createRequire(import.meta.url);
const { findCircle, refuseCircle } = require("../../bundle/find-circle.js") as {
  findCircle: (needed: Needed) => readonly string[] | undefined;
  refuseCircle: (needed: Needed) => void;
};

test.each<[string, Record<string, readonly string[]>, string | undefined]>([
  ["none", { a: ["b", "c"], b: ["c"] }, undefined],
  ["a file that needs itself", { a: ["a"] }, "a a"],
  ["two files", { a: ["b"], b: ["a"] }, "a b a"],
  ["some behind another file", { a: ["b"], b: ["c"], c: ["b"] }, "a b c b"],
  ["some that the first does not need", { a: [], b: ["c"], c: ["b"] }, "b c b"],
])("a circle: %s", (_, needed, circle) => {
  expect(findCircle(new Map(Object.entries(needed)))?.join(" ")).toBe(circle);
});

test("a circle fails the build, and the error names its files", () => {
  expect(() => refuseCircle(new Map([["a", ["a"]]]))).toThrow("files of the bundle need each other: a -> a");
});
