/**
 * The bundle keeps a large constant as a text of JSON and parses it part by part. The data is the same. Anything that is not
 * plain data is left alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

interface Plugin {
  readonly transform: (code: string, id: string) => { readonly code: string } | null;
}
const require = createRequire(import.meta.url);
const { dataAsText } = require("../../bundle/data-as-text.js") as {
  dataAsText: (constants: Readonly<Record<string, string>>, scratch: string) => Plugin;
};

describe("a constant as a text of JSON", () => {
  const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-data-"));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const plugin = dataAsText({ "/x/data.ts": "DATA" }, scratch);

  test("is the same data, parsed on first use; the code after it stays", async () => {
    const code =
      'const names: string[] = ["a\\u2028ö😀"];\nexport const DATA = {\n  a: { b: [1, "it\'s `x`"] },\n  c: names,\n  d: null,\n} as const;\nexport const size = 2;\n';
    const made = plugin.transform(code, "/x/data.ts")?.code ?? "";
    expect(made).not.toContain("b: [");
    const module = path.join(scratch, "data.mjs");
    writeFileSync(module, made);
    const { DATA, size } = (await import(pathToFileURL(module).href)) as {
      DATA: Readonly<Record<string, unknown>>;
      size: number;
    };
    expect(DATA["c"]).toBe(DATA["c"]);
    expect(Object.keys(DATA)).toEqual(["a", "c", "d"]);
    expect([Object.hasOwn(DATA, "d"), Object.hasOwn(DATA, "e"), "d" in DATA, "e" in DATA]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([DATA["e"], Object.hasOwn(DATA, "constructor")]).toEqual([undefined, false]);
    expect({ ...DATA }).toEqual({ a: { b: [1, "it's `x`"] }, c: ["a\u2028ö😀"], d: null });
    expect(size).toBe(2);
  });

  test("leaves other modules alone", () => {
    expect(plugin.transform("export const DATA = {\n};\n", "/x/other.ts")).toBeNull();
  });

  test("fails the build for values that JSON cannot hold, and for an unknown shape", () => {
    expect(() => plugin.transform("export const DATA = {\n  a: { b: undefined },\n};\n", "/x/data.ts")).toThrow(
      "plain data",
    );
    expect(() => plugin.transform("export const DATA = [1];\n", "/x/data.ts")).toThrow("no constant DATA");
  });
});
