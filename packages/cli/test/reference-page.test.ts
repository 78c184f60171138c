import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../src/command-line/commands.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../../docs/cli.md"), "utf8");

test.each(Object.keys(COMMANDS))("docs/cli.md has a row for %s", (name) => {
  expect(page).toMatch(new RegExp(`^\\| \`${name}[\` ]`, "m"));
});
