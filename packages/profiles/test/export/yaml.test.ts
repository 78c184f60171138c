/** The output of the YAML writer, parsed as both versions of YAML, which differ in the meaning of a bare word. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { formatYaml } from "../../src/export/yaml.ts";
import type { Yaml } from "../../src/export/yaml.ts";

const VERSIONS = ["1.1", "1.2"] as const;

/**
 * Every kind of text: any characters, characters with a meaning, and words and numbers that a reader takes for something
 * else.
 */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      ..." :#-?,[]{}&*!|>'\"%@`$\\\n\r\t~=<.0123456789eExXoO_+yYnN\u0085\u2028\u2029\ufeff\u0000\u007f",
    ),
    maxLength: 12,
  }),
  fc.constantFrom(
    "y",
    "No",
    "on",
    "null",
    "~",
    ".inf",
    "0o17",
    "0x1F",
    "1_000",
    "12:30:45",
    "2026-01-01",
    "<<",
    "=",
    "---",
    "...",
    "",
    "- a",
    "a: b",
    "a #b",
  ),
  fc.double().map(String),
);

const { tree } = fc.letrec<{ tree: Yaml }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(text, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test("any document survives a parser of either version", () => {
  fc.assert(
    fc.property(fc.dictionary(text, tree, { minKeys: 1, maxKeys: 5, noNullPrototype: true }), (document) => {
      for (const version of VERSIONS) expect(parse(formatYaml(document), { version })).toStrictEqual(document);
    }),
    { numRuns: 2_000 },
  );
});

test("the control: without quotes some of those texts are read as something else", () => {
  const misread = fc.sample(text, 500).filter((each) => {
    try {
      // Its warnings would quote the text, with all its control characters, on standard error.
      return parse(`a: ${each}\n`, { version: "1.1", logLevel: "error" }).a !== each;
    } catch {
      return true;
    }
  });
  expect(misread.length).toBeGreaterThan(50);
});

test("a member that is undefined is left out", () => {
  expect(formatYaml({ a: undefined, b: [], c: {}, d: "x" })).toBe("b: []\nc: {}\nd: x\n");
});
