/** Tests that exports become plain values where they cannot change later. */
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";

interface Chunk {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { withPlainExports } = require("../../bundle/plain-exports.js") as { withPlainExports: (code: string) => Chunk };

const exported = (value: string): string =>
  `Object.defineProperty(exports, "it", {\n  enumerable: true,\n  get: function () {\n    return ${value};\n  }\n});\n`;

describe("exports", () => {
  test("are plain values", () => {
    const exports: Record<string, unknown> = {};
    const code = withPlainExports(`function it() { return 7; }\n${exported("it")}`).toString();
    new Function("exports", code)(exports);
    expect((exports["it"] as () => number)()).toBe(7);
    expect(Object.getOwnPropertyDescriptor(exports, "it")?.get).toBeUndefined();
  });

  test.each(["let it = 0;\nf = () => (it += 1);", "let it;\nit = 1;", "let it = 0;\nit++;"])(
    "stay getters where a value may change: %j",
    (code) => expect(withPlainExports(`${code}\n${exported("it")}`).toString()).toContain("get: function"),
  );
});

const namespace = (name: string): string =>
  `var ${name}_exports = /* @__PURE__ */ require_rolldown_runtime.__exportAll({\n\tit: () => it$1,\n\tother: () => other\n});\n`;

describe("the exports of a module in a chunk", () => {
  test("are plain values, which are there when the chunk has run", () => {
    const exports: Record<string, { readonly it: () => number; readonly other: number }> = {};
    const code = `${namespace("a")}function it$1() { return 7; }\nconst other = 8;\n${exported("a_exports").replace('"it"', '"a_exports"')}`;
    const made = withPlainExports(code).toString();
    expect(made).not.toContain("__exportAll");
    new Function("exports", made)(exports);
    expect(exports["a_exports"]?.it()).toBe(7);
    expect(exports["a_exports"]?.other).toBe(8);
  });

  test("stay getters where a value may change", () => {
    const code = `${namespace("a")}let it$1 = 0;\nconst other = 8;\nf = () => (it$1 += 1);\n`;
    expect(withPlainExports(code).toString()).toContain("__exportAll");
  });
});
