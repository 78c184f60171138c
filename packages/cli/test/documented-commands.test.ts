/** Every command line in the documentation is one that our own reader understands. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../src/command-line/commands.ts";
import { readCheaply } from "../src/command-line/cheap-reader.ts";
import { readWithYargs } from "../src/command-line/yargs-reader.ts";
import { toArguments } from "../src/command-line/arguments.ts";
import { shellWords } from "./shell-words.ts";

const root = path.join(import.meta.dirname, "../../..");
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(path.join(root, "docs"))
    .filter((page) => page.endsWith(".md"))
    .map((page) => `docs/${page}`),
];

/** Lines that the pages show as output, not as commands. */
const MISTAKES: ReadonlySet<string> = new Set(["lockkeeper dev start", "lockkeeper delete dev"]);

/** Lines of code blocks and inline code that begin with the program's name, after an optional prompt or runner. */
function commandsOf(page: string): readonly string[] {
  const text = readFileSync(path.join(root, page), "utf8");
  const blocks = [...text.matchAll(/^```[a-z]*\n([^]*?)^```/gm)].flatMap(([, block = ""]) =>
    block.replaceAll(/\\\n\s*/g, " ").split("\n"),
  );
  // A verb alone is a name, not a command to run.
  const inline = [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/`(lockkeeper [^`]+ [^`]+)`/g)].map(
    ([, code = ""]) => code,
  );
  return [...blocks, ...inline]
    .map((line) => /^(?:\$ |\d+ |sudo |npx -y \S+ |@reboot )*(lockkeeper .*)$/.exec(line.trim())?.[1])
    .filter((line) => line !== undefined)
    .map((line) => line.replace(/\s+#.*$/, "").replace(/ \.\.\. /, " "))
    .filter((line) => !MISTAKES.has(line));
}

/** Replaces each placeholder by a word. */
function withWords(line: string): string {
  return line
    .replaceAll(/<(?:command|verb)>/g, "list")
    .replaceAll(/<(?:port|other)>/g, "20000")
    .replaceAll(/<ms>/g, "1")
    .replaceAll(/<[a-z -]+>/g, "dev")
    .replaceAll("\\|", "|")
    .replace(/ (?:--help|…)$/, "");
}

test.each(pages)("%s", async (page) => {
  const faults: string[] = [];
  for (const line of commandsOf(page)) {
    try {
      const argv = shellWords(withWords(line)).slice(1);
      const request = readCheaply(COMMANDS, argv) ?? (await readWithYargs(COMMANDS, argv));
      if (request.kind === "call") toArguments(COMMANDS[request.command as keyof typeof COMMANDS], request);
    } catch (error) {
      faults.push(`${line}: ${(error as Error).message}`);
    }
  }
  expect(faults).toEqual([]);
});

test("the search finds the commands", () => {
  expect(pages.flatMap(commandsOf).length).toBeGreaterThan(100);
});
