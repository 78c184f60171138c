/** Tests that a file of the bundle does without the file of helpers where it can. */
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";

interface Chunk {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { withOwnHelpers } = require("../../bundle/own-helpers.js") as { withOwnHelpers: (code: string) => Chunk };

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

  test("for a library are loaded when one is imported", () => {
    const code = `${HELPERS}return () => require_rolldown_runtime.__toESM("a library", 1);`;
    const asked: string[] = [];
    const load = (file: string): object => {
      asked.push(file);
      return { __toESM: (...given: readonly unknown[]) => given };
    };
    const imported = new Function("require", withOwnHelpers(code).toString())(load) as () => unknown;
    expect(asked).toEqual([]);
    expect(imported()).toEqual(["a library", 1]);
    expect(asked).toEqual(["./rolldown-runtime-x.cjs"]);
  });

  test.each(["require_rolldown_runtime.__commonJSMin(x)", "use(require_rolldown_runtime)"])("stay for %s", (use) => {
    expect(withOwnHelpers(`${HELPERS}${use};\n`).toString()).toContain(`${HELPERS}${use}`);
  });
});
