/**
 * The loader gives the same answers with bytecode, without it, and with broken bytecode or bytecode of another file; and those
 * that it gives without the program are the program's.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const dist = path.join(import.meta.dirname, "../../dist");
const own = `${process.version}-${process.platform}-${process.arch}`;
const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-loader-"));
const copy = path.join(scratch, "dist");
const bytecode = path.join(copy, "bytecode", own);

/** The build makes bytecode for its own Node only; these tests may run on another. */
const isMade = existsSync(path.join(dist, "bytecode", own));
if (!isMade) process.stdout.write(`skipped: the bundle has no bytecode for Node ${own}, another one has built it\n`);

beforeAll(() => cpSync(dist, copy, { recursive: true, filter: (file) => !file.endsWith(".map") }));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function ask(...args: readonly string[]): readonly unknown[] {
  const env = { PATH: process.env["PATH"], HOME: scratch, LOCKKEEPER_HOME: path.join(scratch, "home") };
  const program = path.join(copy, "lockkeeper.cjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8" });
  return [status, stdout, stderr];
}

const CALLS = [["--version"], ["list", "--json"], ["current", "--explain"], ["url", "nobody"], ["lsit"]];
const answers = (): readonly unknown[] => CALLS.map((call) => ask(...call));

test.runIf(isMade)(
  "the build has made bytecode for this Node: for the files that everyday commands and keepers load, and for no removed file",
  () => {
    const made = readdirSync(path.join(dist, "bytecode", own));
    const files = ["chunks", "first", "gateway", "kept", "start"].flatMap((folder) =>
      readdirSync(path.join(dist, folder)),
    );
    const bytecodeOfAll = readdirSync(path.join(dist, "bytecode")).flatMap((node) =>
      readdirSync(path.join(dist, "bytecode", node)),
    );
    expect(bytecodeOfAll.filter((name) => !files.includes(name.slice(0, -".bin".length)))).toEqual([]);
    for (const part of ["main", "listed", "acted", "watched", "started", "stopped", "keeper", "plan", "gateway"]) {
      expect(made.some((name) => name.startsWith(`${part}-`))).toBe(true);
    }
  },
);

test("a value that an option does not take is a mistake, whichever file of the bundle judges it", () => {
  const values = [
    "ports --explain 70000",
    "create a --port x",
    "start a --timeout x",
    "logs a --since x",
    "ports --span x",
  ];
  expect(values.map((call) => [call, ask(...call.split(" "))[0]])).toEqual(values.map((call) => [call, 2]));
});

test.runIf(isMade)("broken, foreign and missing bytecode change no answer", () => {
  const before = answers();
  expect(before.map((answer) => (answer as [number])[0])).toEqual([0, 0, 1, 4, 2]);
  const names = readdirSync(bytecode);
  const [first = ""] = names;
  const foreign = readFileSync(path.join(bytecode, first));
  for (const bytes of [Buffer.alloc(0), Buffer.from("no bytecode"), foreign, foreign.subarray(0, 100)]) {
    for (const name of names) if (name !== first) writeFileSync(path.join(bytecode, name), bytes);
    expect(answers()).toEqual(before);
  }
  for (const name of names) rmSync(path.join(bytecode, name));
  expect(answers()).toEqual(before);
  rmSync(path.join(copy, "bytecode"), { recursive: true });
  expect(answers()).toEqual(before);
});

test("the quickest commands need the first files of the program alone", () => {
  const home = path.join(scratch, "few");
  const few = path.join(scratch, "few-files");
  cpSync(dist, few, { recursive: true, filter: (file) => !file.endsWith(".map") });
  const call = (...args: readonly string[]): string => {
    const env = { PATH: process.env["PATH"], HOME: scratch, LOCKKEEPER_HOME: home };
    const program = path.join(few, "lockkeeper.cjs");
    const { status, stdout } = spawnSync(process.execPath, [program, ...args], { env, encoding: "utf8" });
    expect(status).toBe(0);
    return stdout;
  };
  call("create", "a");
  call("use", "a");
  const calls = [["list"], ["url", "a"], ["port", "a"], ["current"]];
  const before = calls.map((words) => call(...words));
  const keepOnly = (kept: RegExp): void => {
    for (const name of readdirSync(path.join(few, "chunks")))
      if (!kept.test(name)) rmSync(path.join(few, "chunks", name));
  };
  keepOnly(/^(?:main|listed)-.{8}\.cjs$/);
  expect(calls.map((words) => call(...words))).toEqual(before);
  keepOnly(/^main-.{8}\.cjs$/);
  expect(call("current")).toBe(before[3]);
});

test("a file that is gone is named in two lines, also when it is the one that words errors", () => {
  const chunks = path.join(copy, "chunks");
  for (const [part, words] of [
    ["acted", ["lsit"]],
    ["acted", ["list", "--lines"]],
    ["yargs-reader", ["lsit"]],
    ["listed", ["list"]],
    ["asked", ["status", "nobody"]],
  ] as const) {
    const [name = ""] = readdirSync(chunks).filter((each) => each.startsWith(`${part}-`));
    const file = path.join(chunks, name);
    renameSync(file, `${file}.gone`);
    const told = ask(...words);
    renameSync(`${file}.gone`, file);
    expect([part, told]).toEqual([
      part,
      [
        74,
        "",
        `error: a file of this program is gone (ENOENT): ${file}\nhint: Lockkeeper was upgraded or removed while this command ran. Run it again; if that fails too, install it again.\n`,
      ],
    ]);
  }
});

test("version and help are shown without the program, and the program says the same", () => {
  const spellings = [[], ["--help"], ["-h"], ["--version"], ["-v"], ["-V"]];
  const short = spellings.map((words) => ask(...words));
  const program = readdirSync(path.join(copy, "chunks")).filter((name) => name.startsWith("main-"));
  const loader = path.join(copy, "lockkeeper.cjs");
  const text = readFileSync(loader, "utf8");
  writeFileSync(loader, text.replace("&& isAnswered(", "&& false && isAnswered("));
  expect(readFileSync(loader, "utf8")).not.toBe(text);
  expect(spellings.map((words) => ask(...words))).toEqual(short);
  writeFileSync(loader, text);
  for (const [status, stdout, stderr] of short) {
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\n$/);
  }
  for (const name of program) rmSync(path.join(copy, "chunks", name));
  expect(spellings.map((words) => ask(...words))).toEqual(short);
  rmSync(path.join(copy, "help.txt"));
  expect(ask("--help")[0]).not.toBe(0);
});
