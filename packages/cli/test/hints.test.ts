/**
 * Every command that one of our messages advises stands at the end of the message. Pasted into `sh`, our own reader
 * understands it. The test finds them in the sources: each `${...}` is quoted there, so one word stands for it here.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../src/command-line/commands.ts";
import { readCheaply } from "../src/command-line/cheap-reader.ts";
import { readWithYargs } from "../src/command-line/yargs-reader.ts";
import { shellWords } from "./shell-words.ts";

const packages = path.join(import.meta.dirname, "../..");

/** These files write scripts for shells, or record in the history who asked. */
const NO_ADVICE =
  /(?:commands|shell-prompt|completion|yargs-reader|help-text|launch-keeper|hand-over|keeper|gateway|run|systemd-unit)\.ts$/;

interface Advice {
  readonly where: string;
  readonly command: string;
}

function* advices(): Generator<Advice> {
  for (const name of ["core", "profiles", "cli"]) {
    const source = path.join(packages, name, "src");
    for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || NO_ADVICE.test(file)) continue;
      const text = readFileSync(path.join(source, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      for (const [literal] of withoutHoles(text).matchAll(/`[^`]*`|"(?:[^"\\\n]|\\.)*"/g)) {
        const command = /(?<!# )\blockkeeper [a-z]+\b.*/s.exec(literal.slice(1, -1).replace(/\\n$/, ""))?.[0];
        if (command !== undefined) yield { where: `${name}/${file}`, command };
      }
    }
  }
}

/** Innermost first: a `${...}` may hold a template with placeholders of its own. */
function withoutHoles(text: string): string {
  const filled = text.replaceAll(/\$\{([^{}]*)\}/g, (_, hole: string) => (/kind/i.test(hole) ? "openclaw" : "1"));
  return filled === text ? text : withoutHoles(filled);
}

test("our own reader understands every advised command", () => {
  const found = [...advices()];
  // A lower count would mean that the search no longer finds them.
  expect(found.length).toBeGreaterThan(60);
  const faults = found.map((advice) => ({ ...advice, fault: faultOf(advice) })).filter(({ fault }) => fault !== "");
  expect(faults).toEqual([]);
});

function faultOf({ command }: Advice): string {
  try {
    const [program, ...args] = shellWords(command);
    if (program !== "lockkeeper") return "sh makes no command of it";
    const { kind } = readCheaply(COMMANDS, args) ?? readWithYargs(COMMANDS, args);
    // Prose after a command would be pasted with it.
    const prose = args.find((arg) => /[,;.:)]$/.test(arg));
    return kind === "version" || prose !== undefined ? `not a command alone: ${prose ?? kind}` : "";
  } catch (error) {
    return String(error);
  }
}
