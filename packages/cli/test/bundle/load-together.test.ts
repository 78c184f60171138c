/** Tests that a file of the bundle that stays loads all that it may need, and when. */
import { createRequire } from "node:module";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);
const { filesBehind, withFiles } = require("../../bundle/load-together.js") as {
  filesBehind: (file: string, importsOf: (file: string) => readonly string[]) => readonly string[];
  withFiles: (code: string, files: readonly string[]) => { readonly toString: () => string };
};

test("what a file needs are the files of the bundle behind it, also in a circle, without itself", () => {
  const imports: Readonly<Record<string, readonly string[]>> = {
    "chunks/run.cjs": ["chunks/a.cjs", "node:fs"],
    "chunks/a.cjs": ["chunks/b.cjs", "chunks/run.cjs", "some-package"],
    "chunks/b.cjs": ["chunks/a.cjs"],
    "chunks/other.cjs": ["chunks/run.cjs"],
  };
  expect(filesBehind("chunks/run.cjs", (file) => imports[file] ?? [])).toEqual(["chunks/a.cjs", "chunks/b.cjs"]);
});

test("they are loaded when the file has its exports", () => {
  const exports: Record<string, number> = {};
  const seen: unknown[] = [];
  const load = (file: string): void => void seen.push(file, exports["own"]);
  new Function("exports", "require", withFiles("exports.own = 1;", ["chunks/a.cjs", "chunks/b.cjs"]).toString())(
    exports,
    load,
  );
  expect(seen).toEqual(["./a.cjs", 1, "./b.cjs", 1]);
});
