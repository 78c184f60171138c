/** Tests the rewrite of what the bundle requires, shape by shape: the result must run and mean the same. */
import { createRequire } from "node:module";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";

interface Chunk {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { deferred, requiredAtOnce } = require("../../bundle/defer-loading.js") as {
  deferred: (code: string, isDeferred?: (file: string) => boolean) => Chunk;
  requiredAtOnce: (code: string) => ReadonlySet<string>;
};

/** Runs emitted code with a `require` that records what was asked for; `result` is what the code returned. */
function run(code: string): { readonly result: unknown; readonly loaded: readonly string[] } {
  const loaded: string[] = [];
  const sandbox = {
    result: undefined as unknown,
    toESM: (module: unknown) => module,
    require: (id: string) => {
      loaded.push(id);
      return id.startsWith("node:") ? { ...(require(id) as object), default: require(id) as unknown } : {};
    },
  };
  runInNewContext(code, sandbox);
  return { result: sandbox.result, loaded };
}

const PATH = 'let node_path = require("node:path");\n';

describe("a built-in module", () => {
  test("is not loaded before it is used", () => {
    const code = `${PATH}node_path = toESM(node_path, 1);\nfunction later() { return node_path.default.sep; }\n`;
    expect(run(code).loaded).toEqual(["node:path"]);
    expect(run(deferred(code).toString()).loaded).toEqual([]);
  });

  test.each([
    ["a member", `${PATH}result = node_path.join("a", "b");`],
    ["the default", `${PATH}node_path = toESM(node_path, 1);\nresult = node_path.default.join("a", "b");`],
    ["a constant", `${PATH}result = node_path.sep + node_path.default.sep;`],
    ["two in one expression", `${PATH}result = node_path.join(node_path.sep, "x");`],
    ["a class", 'let node_url = require("node:url");\nresult = new node_url.URL("http://a/b").pathname;'],
    [
      "a class of a member",
      'let node_util = require("node:util");\nresult = typeof new node_util.types.constructor();',
    ],
    ["a spread member", `${PATH}result = [...node_path.sep];`],
    ["a name in a text", `${PATH}result = "kept" + node_path.sep;`],
    [
      "a name that only begins the same",
      `${PATH}const node_paths = { sep: 1 };\nresult = node_paths.sep + node_path.sep;`,
    ],
  ])("used as %s means the same", (_, code) => {
    const before = run(code);
    const after = run(deferred(code).toString());
    expect(after).toEqual(before);
  });

  test("imported on demand is required then", async () => {
    const code = 'result = (async () => { const { join } = await import("node:path"); return join("a", "b"); })();';
    const { result, loaded } = run(deferred(code).toString());
    expect(loaded).toEqual([]);
    expect(await result).toBe("a/b");
    expect(loaded).toEqual(["node:path"]);
  });

  test("used as a value fails the build, and the error quotes the place", () => {
    expect(() => deferred(`${PATH}result = Object.keys(node_path);`)).toThrow("node_path is used as a value: ");
  });
});

test("a chunk that no code uses any more is not required", () => {
  const code =
    'const require_rest = require("./rest.cjs");\nconst require_used = require("./used.cjs");\nresult = require_used.x;\n';
  expect(run(deferred(code).toString()).loaded).toEqual(["./used.cjs"]);
});

const isDeferred = (file: string): boolean => file !== "./main-x.cjs";

describe("another file of the bundle", () => {
  const code =
    'const require_main = require("./main-x.cjs");\nconst require_rest = require("./rest-x.cjs");\n' +
    "result = require_main.x;\nfunction later() { return [...require_rest.list(), new require_rest.It()]; }\n";
  test("is loaded when something of it is first used", () => {
    expect(run(deferred(code, isDeferred).toString()).loaded).toEqual(["./main-x.cjs"]);
    expect(run(`${deferred(code, isDeferred).toString()}try { later(); } catch {}`).loaded).toEqual([
      "./main-x.cjs",
      "./rest-x.cjs",
    ]);
  });

  test("is loaded at once where that is not asked for", () => {
    expect(run(deferred(code).toString()).loaded).toEqual(["./main-x.cjs", "./rest-x.cjs"]);
  });

  test.each([
    ["const it = require_a.make();", true],
    ["class It extends require_a.Base {}", true],
    ["class It { static it = require_a.make(); }", true],
    ["class It { it = require_a.make(); }", false],
    ["class It { make() { return require_a.make(); } }", false],
    ["const it = () => require_a.make();", false],
    ["function it() { return require_a.make(); }", false],
  ])("is needed at once or later: %s", (use, isAtOnce) => {
    const found = requiredAtOnce(`const require_a = require("./a-x.cjs");\n${use}\n`);
    expect([...found]).toEqual(isAtOnce ? ["./a-x.cjs"] : []);
  });
});
