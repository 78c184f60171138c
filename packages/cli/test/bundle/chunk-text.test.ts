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
const { withImportsOnDemand } = require("../../bundle/imports-on-demand.js") as {
  withImportsOnDemand: (code: string) => Text;
};
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

describe("an import on demand", () => {
  const files: Record<string, unknown> = { "./a.cjs": { b_exports: { it: 7 } } };
  const loaded: string[] = [];
  const requireFile = (file: string): unknown => {
    loaded.push(file);
    return files[file];
  };
  const run = (code: string): unknown =>
    new Function("require", withImportsOnDemand(`return ${code};\n`).toString())(requireFile);

  test.each([
    ["a file", 'Promise.resolve().then(() => require("./a.cjs"))', { b_exports: { it: 7 } }],
    ["a module in a file", 'Promise.resolve().then(() => require("./a.cjs")).then((n) => n.b_exports)', { it: 7 }],
  ])("of %s loads nothing before its caller has ended, and means the same", async (_, code, expected) => {
    loaded.length = 0;
    const answer = run(code);
    expect(loaded).toEqual([]);
    expect(await answer).toEqual(expected);
    expect(loaded).toEqual(["./a.cjs"]);
  });

  test("that fails rejects", async () => {
    await expect(run('Promise.resolve().then(() => require("./none.cjs")).then((n) => n.x)')).rejects.toThrow(
      TypeError,
    );
  });

  test("of another shape stays as it is", () => {
    const code = 'Promise.resolve().then(() => require("./a.cjs")).then((n) => n.b).then(f);\n';
    expect(withImportsOnDemand(code).toString()).toBe(code);
  });
});
