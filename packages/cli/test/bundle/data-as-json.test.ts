/**
 * The bundle reads a large constant from a JSON file, part by part. The data is the same. Anything that is not plain
 * data is left alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

interface Asset {
  readonly fileName: string;
  readonly source: string;
}
interface Plugin {
  readonly transform: (code: string, id: string) => { readonly code: string } | null;
  readonly generateBundle: () => void;
}
const require = createRequire(import.meta.url);
const { dataAsJson } = require("../../bundle/data-as-json.js") as {
  dataAsJson: (constants: Readonly<Record<string, string>>, folder: string, scratch: string) => Plugin;
};

describe("a constant as a file of JSON", () => {
  const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-data-"));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const plugin = dataAsJson({ "/x/data.ts": "DATA" }, ".", scratch);

  test("is the same data, parsed on first use; the code after it stays", async () => {
    const code =
      'const names: string[] = ["a\\u2028ö😀"];\nexport const DATA = {\n  a: { b: [1, "it\'s `x`"] },\n  c: names,\n  d: null,\n} as const;\nexport const size = 2;\n';
    const made = plugin.transform(code, "/x/data.ts")?.code ?? "";
    expect(made).not.toContain("it's");
    const assets: Asset[] = [];
    plugin.generateBundle.call({ emitFile: (asset: Asset) => assets.push(asset) } as never);
    for (const { fileName, source } of assets) writeFileSync(path.join(scratch, fileName), source);
    const module = path.join(scratch, "data.mjs");
    writeFileSync(module, made);
    const { DATA, size } = (await import(pathToFileURL(module).href)) as {
      DATA: Readonly<Record<string, unknown>>;
      size: number;
    };
    expect(Object.keys(DATA)).toEqual(["a", "c", "d"]);
    expect(DATA["c"]).toBe(DATA["c"]);
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
