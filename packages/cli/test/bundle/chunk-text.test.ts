/**
 * How the build rewrites the text of a chunk: each chunk has its own helpers and plain exports. The build fails where a
 * rewrite would change the meaning.
 */
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";

interface Text {
  toString: () => string;
}
const require = createRequire(import.meta.url);
const { withOwnHelpers } = require("../../bundle/own-helpers.js") as { withOwnHelpers: (code: string) => Text };
const { withPlainExports } = require("../../bundle/plain-exports.js") as { withPlainExports: (code: string) => Text };

const HELPERS = 'const require_rolldown_runtime = require("./rolldown-runtime-x.cjs");\n';

describe("helpers", () => {
  test("that no code uses are not loaded", () => {
    expect(withOwnHelpers(`${HELPERS}f();\n`).toString()).toBe("\nf();\n");
  });

  test("of a namespace are written into the file", () => {
    const code = `${HELPERS}let a = 1;\nvar it = require_rolldown_runtime.__exportAll({ a: () => a });\na = 2;\nreturn it;`;
    const made = withOwnHelpers(code).toString();
    expect(made).not.toContain("require(");
    const it = new Function(made)() as object;
    expect({ ...it }).toEqual({ a: 2 });
    expect(Object.isExtensible(it)).toBe(false);
  });

  test.each(["require_rolldown_runtime.__toESM(x)", "use(require_rolldown_runtime)"])("stay for %s", (use) => {
    expect(withOwnHelpers(`${HELPERS}${use};\n`).toString()).toContain("rolldown-runtime-x");
  });
});

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
