/** What the bundle makes of a large constant: the same data, read from text; and nothing of what is not plain data. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";

interface Plugin {
  readonly transform: (code: string, id: string) => { readonly code: string } | null;
}
const require = createRequire(import.meta.url);
const { dataAsJson } = require("../../bundle/data-as-json.js") as {
  dataAsJson: (constants: Readonly<Record<string, string>>, scratch: string) => Plugin;
};

describe("a constant as JSON text", () => {
  const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-data-"));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const plugin = dataAsJson({ "/x/data.ts": "DATA" }, scratch);

  test("is the same data, and what follows it stays", () => {
    const code =
      'const names: string[] = ["a"];\nexport const DATA = {\n  a: { b: [1, "it\'s `x`"] },\n  c: names,\n} as const;\nexport const size = 2;\n';
    const made = plugin.transform(code, "/x/data.ts")?.code ?? "";
    expect(made).toContain("JSON.parse(");
    const script = made.replaceAll("export const", "const");
    const result: unknown = new Function(`${script}\nreturn { DATA, size };`)();
    expect(result).toEqual({ DATA: { a: { b: [1, "it's `x`"] }, c: ["a"] }, size: 2 });
  });

  test("leaves other modules alone", () => {
    expect(plugin.transform("export const DATA = {\n};\n", "/x/other.ts")).toBeNull();
  });

  test("fails the build for what JSON cannot hold, and for a shape that it does not know", () => {
    expect(() => plugin.transform("export const DATA = {\n  a: undefined,\n};\n", "/x/data.ts")).toThrow("plain data");
    expect(() => plugin.transform("export const DATA = [1];\n", "/x/data.ts")).toThrow("no constant DATA");
  });
});
