import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../src/version.ts";

test("the version matches the package's version", () => {
  const manifest: unknown = JSON.parse(readFileSync(path.join(import.meta.dirname, "../package.json"), "utf8"));
  expect(manifest).toMatchObject({ version: VERSION });
});
