import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { allHelp } from "../src/help-writer.ts";

test("the help stored at build time is what yargs would say", async () => {
  const stored: unknown = JSON.parse(readFileSync(path.join(import.meta.dirname, "../dist/help.json"), "utf8"));
  expect(stored).toEqual(await allHelp());
});

test("every help fits into 80 columns and shows an example", async () => {
  for (const [name, text] of Object.entries(await allHelp())) {
    expect(text, name).toContain("Examples:");
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  }
});
