/** Tests that a file of the bundle is the text of one function, as the loader calls it. */
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";
import { expect, test } from "vitest";

type Loaded = (exports: object, require: unknown, module: object, filename: string, dirname: string) => void;

const require = createRequire(import.meta.url);
const { asFunction } = require("../../bundle/as-function.js") as {
  asFunction: { renderChunk: { handler: (code: string) => { readonly code: string } } };
};

const call = (code: string): object => {
  const module = { exports: {} };
  const text = asFunction.renderChunk.handler(code).code;
  (runInThisContext(text) as Loaded)(module.exports, (id: string) => id, module, "/a/b.cjs", "/a");
  return module.exports;
};

test("the file sees what CommonJS gives it", () => {
  expect(call('exports.seen = [require("c"), __filename, __dirname, module.exports === exports];')).toEqual({
    seen: ["c", "/a/b.cjs", "/a", true],
  });
});

test("a comment at its end does not swallow the end of the function, nor does a directive lose its place", () => {
  expect(call('"use strict"; exports.self = (function () { return this; })(); // the end')).toEqual({});
});

test("its first line stays the first one, so that a stack names the right line", () => {
  expect(asFunction.renderChunk.handler("first();\nsecond();").code.split("\n")[1]).toBe("second();");
});
