/** Tests that a module gets the `require` of its file, and that the build fails where one is made in an unknown way. */
import { createRequire } from "node:module";
import { expect, test } from "vitest";

interface Chunk {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { withOwnRequire } = require("../../bundle/own-require.js") as { withOwnRequire: (code: string) => Chunk };

const MADE = '(0, node_module.createRequire)(require("url").pathToFileURL(__filename).href)';

test("the `require` of the file takes the place of one that is made", () => {
  const code = withOwnRequire(`const { cache } = ${MADE};\nreturn ${MADE}.resolve("a") + cache;`).toString();
  const own = { cache: "b", resolve: (id: string) => `${id} of ` };
  expect(new Function("require", code)(own)).toBe("a of b");
});

test("code without one stays as it is", () => {
  expect(withOwnRequire("const path = require('node:path');").toString()).toBe("const path = require('node:path');");
});

test("one that is made in another way fails the build", () => {
  expect(() => withOwnRequire("const own = (0, node_module.createRequire)(somewhere);")).toThrow(
    "a require is made in a way that is not known",
  );
});
