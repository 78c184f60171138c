import * as fc from "fast-check";
import { expect, test } from "vitest";
import { locateJsonError } from "../src/json.ts";

test.each([
  ['{"broken', 1, 2],
  ['{\n  "a": 1,\n  "b": }\n', 3, 8],
  ['{"a": 1,}', 1, 9],
  ["[1, 2", 1, 6],
  ["", 1, 1],
  ["{'a': 1}", 1, 2],
  ['{"a" 1}', 1, 6],
  ['{"a": 1} x', 1, 10],
  ['{"a": "b\u0001"}', 1, 7],
  ["[1}", 1, 3],
  ["[01]", 1, 3],
])("%j is no longer JSON at %i:%i", (text, line, column) => {
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  expect(locateJsonError(text)).toEqual({ line, column });
});

test("the text before the place can still become JSON; agrees with JSON.parse on what is damaged", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom("", "}", ",", '"', "x", "[", ":"), (whole, where, inserted) => {
      const at = where % (whole.length + 1);
      const text = whole.slice(0, at) + inserted + whole.slice(at + 1);
      const isJson = parses(text);
      // An intact text is scanned to its very end, where nothing more is expected.
      const { line, column } = locateJsonError(text);
      const offset =
        text
          .split("\n")
          .slice(0, line - 1)
          .join("\n").length +
        (line > 1 ? 1 : 0) +
        column -
        1;
      if (isJson) expect(text.slice(offset)).toBe("");
      expect(offset).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 500 },
  );
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
