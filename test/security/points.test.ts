/**
 * Each promise of docs/security.md is attacked by tests with its number, and no test has a number without a promise.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const ROOT = path.join(import.meta.dirname, "../..");

/** Returns the numbers in the names of a file's tests and groups of tests: `security 2, 15: ...`. */
function numbersIn(file: string): readonly number[] {
  const text = readFileSync(path.join(ROOT, file), "utf8");
  return [...text.matchAll(/["`]security ([\d, and]+):/g)].flatMap(([, numbers = ""]) =>
    [...numbers.matchAll(/\d+/g)].map(Number),
  );
}

function testFiles(): readonly string[] {
  return ["packages/core/test", "packages/profiles/test", "packages/cli/test", "test"].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true })
      .map((name) => path.join(folder, String(name)))
      .filter((file) => file.endsWith(".test.ts") && !/node_modules|^test\/build/.test(file)),
  );
}

test("every promise has tests with its number, in the files that the page names", () => {
  const page = readFileSync(path.join(ROOT, "docs/security.md"), "utf8");
  const rows = [...page.matchAll(/^\| (\d+) .*?\|(.*)\|$/gm)].map(([, number, files = ""]) => ({
    number: Number(number),
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file),
  }));
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
  for (const { number, files } of rows) {
    expect({ number, files }).not.toEqual({ number, files: [] });
    for (const file of files)
      expect({ file, numbers: numbersIn(file) }).toEqual({
        file,
        numbers: expect.arrayContaining([number]) as number[],
      });
  }
  const promised = new Set(rows.map(({ number }) => number));
  const unknown = testFiles().flatMap((file) =>
    numbersIn(file)
      .filter((number) => !promised.has(number))
      .map((number) => `${file}: ${number}`),
  );
  expect(unknown).toEqual([]);
});
