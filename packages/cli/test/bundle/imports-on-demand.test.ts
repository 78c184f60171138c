/** Tests the rewrite of imports on demand: the result must run, load as late and mean the same. */
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";

interface Chunk {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { withImportsOnDemand } = require("../../bundle/imports-on-demand.js") as {
  withImportsOnDemand: (code: string) => Chunk;
};

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
