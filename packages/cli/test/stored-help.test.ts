import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMANDS, GROUPS } from "../src/command-line/commands.ts";
import { readCheaply } from "../src/command-line/cheap-reader.ts";
import type { CommandSpec } from "../src/command-line/command.ts";
import { readWithYargs } from "../src/command-line/yargs-reader.ts";
import { commandHelp, programHelp } from "../src/command-line/help-text.ts";
import { allHelp, commandsPage } from "../src/help-writer.ts";

test("the help that the build stored matches the descriptions", () => {
  const stored: unknown = JSON.parse(readFileSync(path.join(import.meta.dirname, "../dist/help.json"), "utf8"));
  expect(stored).toEqual(allHelp());
});

test("every help fits into 80 columns and shows an example", () => {
  for (const [name, text] of Object.entries(allHelp())) {
    expect(text, name).toContain("Examples:");
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

/** A line with one word, which may be a path to copy, or with an option that stands alone. */
const UNBREAKABLE = /^ *(?:\S+|(?:-\w, )?--[\w-]+ <[^>]+>)(?: \\)?$/;

test.each([56, 60, 79])("every help fits into %d columns, but for lines that cannot be broken", (columns) => {
  const texts = Object.entries<CommandSpec>(COMMANDS).map(([name, spec]) => commandHelp(name, spec, columns));
  const lines = [programHelp(COMMANDS, columns), ...texts].join("\n").split("\n");
  expect(lines.filter((line) => line.length > columns && !UNBREAKABLE.test(line))).toEqual([]);
});

test("the help of the program is one screen and names every command", () => {
  const text = allHelp()[""] ?? "";
  expect(text.split("\n").length).toBeLessThanOrEqual(48);
  for (const name of Object.keys(COMMANDS)) expect(text).toMatch(new RegExp(`^ .*\\b${name}\\b`, "m"));
  for (const title of Object.values(GROUPS)) expect(text).toContain(`${title}:\n`);
});

const specs = Object.entries<CommandSpec>(COMMANDS);

test.each(specs.flatMap(([, { examples }]) => examples.map(([line]) => line)))("%s is a command line", (line) => {
  // Whatever a shell would do with the rest of the line is not our concern.
  const [own = ""] = line.split(/ (?:&&|\||>>?)/);
  const words = own.split(" ").map((word) => word.replaceAll("'", ""));
  expect((readCheaply(COMMANDS, words) ?? readWithYargs(COMMANDS, words)).kind).toBe("call");
});

test("no command uses a word of another tool, and no alias stands for two commands", () => {
  const words = specs.flatMap(([, { synonyms = [] }]) => synonyms);
  expect(words.filter((word) => Object.hasOwn(COMMANDS, word))).toEqual([]);
  expect(new Set(words).size).toBe(words.length);
});

test("docs/commands.md matches the descriptions (node scripts/write-commands-page.js makes it)", () => {
  expect(readFileSync(path.join(import.meta.dirname, "../../../docs/commands.md"), "utf8")).toBe(commandsPage());
});
