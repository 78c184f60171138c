/**
 * Fuzzes the command line by seed: words of its own vocabulary and words that no shell should pass, in any order.
 * Whatever they are, the exit status is a documented one, no message reports a bug, a refusal names what it refuses,
 * nothing beside the home appears or changes, and a profile's content is kept. A command that would start something, or
 * wait, gets an option that does not exist.
 */
import * as fs from "node:fs";
import path from "node:path";
import { withScratchHome } from "../harness/scratch-home.ts";
import type { FuzzReport } from "./gateway.ts";
import { randomFrom } from "./random.ts";
import type { Random } from "./random.ts";

/** docs/cli.md */
const DOCUMENTED: ReadonlySet<number | null> = new Set([0, 1, 2, 3, 4, 5, 65, 73, 74, 77, 78]);
/** Runs a gateway, a program, a browser or a live view, or continues until somebody ends it. */
const LIVING: ReadonlySet<string> = new Set(
  "up start restart run shell exec top open wait logs takeover hooks service".split(" "),
);
/**
 * They ask or never end, or would destroy what must be kept. Node itself reads an --env-file after a script's name:
 * docs/cli.md.
 */
const LEFT_OUT: ReadonlySet<string> = new Set(["--yes", "-y", "--watch", "--follow", "-f", "--env-file"]);
const PAGE = findPage();
const STRANGE = [
  "",
  " ",
  "-",
  "---",
  "--=",
  "-=x",
  "--",
  "--no-json",
  "--json=maybe",
  "--__proto__=1",
  "--constructor",
  "__proto__",
  "toString",
  "0",
  "-1",
  "1e3",
  "0x10",
  "65536",
  "99999999999999999999",
  "NaN",
  "../../etc",
  "/",
  "~",
  ".",
  "*",
  "[",
  "@",
  "@nobody",
  "a,b",
  "a\nb",
  "A",
  "all",
  "con",
  "\u001B[31mred",
  "\u202Egnp",
  "\uD800",
  "é",
  "name=",
  "=value",
  "K=V=W",
  "K=\nV",
  "x".repeat(33),
  "x".repeat(100_000),
  "%s%n",
  "$(id)",
  "`id`",
  "; true",
] as const;
const NAMES = ["a", "b", "nobody", "new"] as const;

/** One command line, and the word that a refusal must contain; undefined where a refusal is not certain. */
interface Line {
  readonly args: readonly string[];
  readonly refused: string | undefined;
}

type Words = readonly [string, ...string[]];

/** The commands and options of the page that is made from the program's own description. */
function vocabulary(): { readonly commands: Words; readonly options: Words } {
  const page = fs.readFileSync(PAGE, "utf8");
  const [command = "list", ...commands] = [...page.matchAll(/^### (\S+)$/gm)].map(([, name = ""]) => name);
  const named = [...page.matchAll(/^ {2,6}(?:(-\w), )?(--[a-z-]+)/gm)].flatMap(([, short, long]) => [short, long]);
  const known = [...new Set(named)].filter((word): word is string => word !== undefined && !LEFT_OUT.has(word));
  const [option = "--json", ...options] = known;
  return { commands: [command, ...commands], options: [option, ...options] };
}

function lineFrom(random: Random, { commands, options }: ReturnType<typeof vocabulary>): Line {
  const unknown = `--zq${random.below(1_000)}`;
  const command = random.below(12) === 0 ? random.pick(STRANGE) : random.pick(commands);
  const words = Array.from({ length: random.below(6) }, () => {
    switch (random.below(5)) {
      case 0:
        return random.pick(NAMES);
      case 1:
        return `${random.pick(options)}=${random.pick(STRANGE)}`;
      case 2:
        return random.pick(STRANGE);
      default:
        return random.pick(options);
    }
  });
  const isSure = LIVING.has(command) || random.below(4) === 0;
  return isSure
    ? { args: [command, unknown, ...words], refused: unknown }
    : { args: [command, ...words], refused: undefined };
}

/** Runs the lines of `seed`, `seed + 1` and so on, in one home. */
export async function fuzzArguments(seed: number, inputs: number): Promise<FuzzReport> {
  const faults: string[] = [];
  const words = vocabulary();
  await withScratchHome(async ({ home, folder, run, json }) => {
    for (const name of NAMES.slice(0, 2)) await json(["create", name]);
    const tokens = NAMES.slice(0, 2).map((name) => fs.readFileSync(path.join(home, "profiles", name, "token"), "utf8"));
    const outside = namesBeside(folder);
    for (let one = seed; one < seed + inputs; one += 1) {
      const { args, refused } = lineFrom(randomFrom(one), words);
      // Without a PATH nothing but the program itself can run.
      const { status, stdout, stderr } = await run(args, { env: { PATH: "/nowhere" } });
      const tell = (what: string): void =>
        void faults.push(`seed ${one}: ${JSON.stringify(args).slice(0, 300)}: ${what}: ${stderr.slice(0, 300)}`);
      if (!DOCUMENTED.has(status)) tell(`exit ${status}`);
      if (/This is a bug|INTERNAL|\n {4}at /.test(stdout + stderr)) tell("told as a bug");
      if (refused !== undefined && !isHelp(args) && (status !== 2 || !namesOne(args, stderr))) {
        tell(`exit ${status} without a word of what is refused`);
      }
      if (status !== 0 && stderr.trim() === "" && stdout.trim() === "") tell(`exit ${status} without a word`);
      if (namesBeside(folder) !== outside) tell("something changed beside the home");
      const kept = tokensBelow(home);
      if (!tokens.every((token) => kept.includes(token))) tell("what a profile holds is gone");
    }
  });
  return { fuzzer: "arguments", inputs, faults, grownMiB: 0 };
}

/** Only the first error is reported, and that need not be the unknown option. */
function namesOne(args: readonly string[], stderr: string): boolean {
  if (stderr.includes("no such command: ")) return true;
  return args.some((word) => /[\w*/]/.test(word) && stderr.includes(word.replace(/^--/, "").slice(0, 60)));
}

/** Help is shown whatever else the line holds. */
function isHelp(args: readonly string[]): boolean {
  return args[0] === "help" || args.some((word) => /^(?:--help|-h|--version|-v)(?:=|$)/i.test(word));
}

function namesBeside(folder: string): string {
  const names = fs.readdirSync(folder, { recursive: true }).map(String);
  return names
    .filter((name) => !name.startsWith(".lockkeeper"))
    .sort()
    .join("\n");
}

/** Wherever a folder is now: renamed, or in the trash. */
function tokensBelow(home: string): readonly string[] {
  return ["profiles", "trash"].flatMap((part) => {
    const folder = path.join(home, part);
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    return names
      .map((name) => path.join(folder, name, "token"))
      .filter((file) => fs.existsSync(file))
      .map((file) => fs.readFileSync(file, "utf8"));
  });
}

/** The page stays where it is when this file is built to test/build/fuzz. */
function findPage(): string {
  const here = path.join(import.meta.dirname, "../../docs/commands.md");
  return fs.existsSync(here) ? here : path.join(import.meta.dirname, "../../../docs/commands.md");
}
