/**
 * The effect of one failed file call on a home: every command that writes, every call of every kind, as many errnos as
 * requested. Afterwards the home is as before or as after the command, whole; the exit status says which; and the next
 * command finishes or undoes the rest. A preload fails the call, so no privilege is needed.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { openProfiles } from "@lockkeeper/profiles";

/** Kinds of file calls, as `programs/fail-nth.cjs` counts them. */
const KINDS_OF_CALLS = ["open", "read", "look", "write", "fsync", "rename", "mkdir", "chmod", "unlink"] as const;
export const ERRNOS = ["EIO", "ENOSPC", "EROFS", "EMFILE", "EACCES", "EPERM"] as const;

/** A command that changes a home. */
export interface Change {
  readonly name: string;
  readonly args: readonly string[];
}

/** Every command that writes and starts nothing. The home has `a` and `b`, and `gone` in the trash. */
export const CHANGES: readonly Change[] = [
  { name: "create", args: ["create", "new", "--port", "{port}"] },
  { name: "clone", args: ["clone", "a", "new", "--port", "{port}"] },
  { name: "rename", args: ["rename", "a", "new"] },
  { name: "remove", args: ["remove", "a", "--yes"] },
  { name: "restore", args: ["restore", "gone"] },
  { name: "edit", args: ["edit", "a", "--stop-timeout", "9s"] },
  { name: "protect", args: ["protect", "a"] },
  { name: "use", args: ["use", "b"] },
  { name: "config set", args: ["config", "set", "poolFirst", "20000"] },
  { name: "config set of a profile", args: ["config", "set", "heartbeatMs", "5000", "--profile", "a"] },
  { name: "import", args: ["import", "openclaw", "work"] },
  { name: "apply", args: ["apply", "--yes", "--file", "set-{port}.json"] },
  { name: "ports reserve", args: ["ports", "reserve", "29100-29109", "--note", "kept"] },
  { name: "trash empty", args: ["trash", "empty", "--yes"] },
];

/** The result of one injected fault, when it is not as it must be. */
export interface Flaw {
  readonly change: string;
  /** `rename:3:EIO` */
  readonly fault: string;
  readonly flaw: string;
}

/** The results of a sweep. */
export interface FaultReport {
  readonly injected: number;
  readonly flaws: readonly Flaw[];
}

/** How thorough a sweep is. */
export interface FaultOptions {
  readonly changes: readonly Change[];
  /** Returns the errnos to try at the n-th call. */
  readonly errnosAt: (kind: string, n: number) => readonly string[];
  /** @default 2; at most five */
  readonly atOnce?: number;
  readonly onProgress?: (text: string) => void;
  /** Called at once for each flaw. */
  readonly onFlaw?: (flaw: Flaw) => void;
}

const program = path.join(
  path.dirname(createRequire(import.meta.url).resolve("lockkeeper/package.json")),
  "bin/lockkeeper.js",
);
const preload = findPreload();
/** docs/cli.md; 1 is for an attempt that failed, never for a disk. */
const DOCUMENTED = new Set([0, 2, 4, 65, 73, 74, 77, 78]);

/** Runs the sweep. Leaves nothing behind. */
export async function injectFaults(options: FaultOptions): Promise<FaultReport> {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "lk-faults-")));
  const flaws: Flaw[] = [];
  let injected = 0;
  try {
    const template = path.join(root, "template");
    await makeTemplate(template);
    const before = snapshot(template);
    for (const change of options.changes) {
      const whole = path.join(root, "whole");
      copy(template, whole);
      const { status, stderr, counts } = await run(whole, argsIn(0, change));
      if (status !== 0) throw new Error(`${change.name} without a fault: exit ${status}: ${stderr}`);
      const after = snapshot(whole);
      fs.rmSync(whole, { recursive: true, force: true, maxRetries: 5 });
      const faults = KINDS_OF_CALLS.flatMap((kind) =>
        Array.from({ length: counts[kind] ?? 0 }, (_, index) => index + 1).flatMap((n) =>
          options.errnosAt(kind, n).map((errno) => `${kind}:${n}:${errno}`),
        ),
      );
      options.onProgress?.(`${change.name}: ${faults.length} faults`);
      const queue = faults.entries();
      const worker = async (lane: number): Promise<void> => {
        for (const [index, fault] of queue) {
          const home = path.join(root, `${index}`);
          copy(template, home);
          const flaw = await tryFault(home, argsIn(lane, change), fault, before, after);
          if (flaw !== undefined) {
            flaws.push({ change: change.name, fault, flaw });
            options.onFlaw?.({ change: change.name, fault, flaw });
          }
          fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
          injected += 1;
        }
      };
      await Promise.all(Array.from({ length: Math.min(options.atOnce ?? 2, MOST_LANES) }, (_, lane) => worker(lane)));
    }
  } finally {
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
  return { injected, flaws };
}

/** How many commands run at once, at most. */
const MOST_LANES = 5;

/** Each lane asks for its own port, since a requested port is probed. Tests have theirs from 10,100 on. */
function portOf(lane: number): number {
  return 9_100 + 100 * lane;
}

function argsIn(lane: number, { args }: Change): readonly string[] {
  return args.map((argument) => argument.replace("{port}", String(portOf(lane))));
}

async function tryFault(
  folder: string,
  args: readonly string[],
  fault: string,
  before: string,
  after: string,
): Promise<string | undefined> {
  const { status, stderr } = await run(folder, args, fault);
  if (status === null || !DOCUMENTED.has(status)) return `exit ${status}: ${stderr}`;
  if (/This is a bug|INTERNAL|\n {4}at /.test(stderr)) return `told as a bug: ${stderr}`;
  if (status === 74 && !/E[A-Z]{2,}/.test(stderr)) return `no errno: ${stderr}`;
  const healed = await heal(folder);
  if (healed !== undefined) return `exit ${status}, and the next command: ${healed}`;
  const now = snapshot(folder);
  if (now !== before && now !== after)
    return `neither before nor after, exit ${status}: ${difference(now, before, after)}`;
  if (status === 0 && now !== after) return "exit 0, and nothing is changed";
  if (status !== 0 && now === after && before !== after) return `exit ${status}, and all is changed: ${stderr}`;
  if (status === 0) return undefined;
  const again = await run(folder, args);
  if (again.status !== 0) return `a second time: exit ${again.status}: ${again.stderr}`;
  return snapshot(folder) === after ? undefined : `a second time: ${difference(snapshot(folder), after, after)}`;
}

/** Runs a command that changes nothing itself, so that it settles the rest; returns what it could not settle. */
async function heal(folder: string): Promise<string | undefined> {
  const profiles = await openProfiles({ home: homeIn(folder), env: environment(folder) });
  try {
    await profiles.rename("nobody", "nowhere");
    return "it found a profile that was never there";
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return code === "PROFILE_NOT_FOUND" ? undefined : `${code}: ${message}`;
  }
}

async function makeTemplate(folder: string): Promise<void> {
  fs.mkdirSync(path.join(folder, ".openclaw-work"), { recursive: true });
  fs.writeFileSync(path.join(folder, ".openclaw-work/openclaw.json"), '{"gateway": {"port": 9700}}');
  for (const port of Array.from({ length: MOST_LANES }, (_, lane) => portOf(lane))) {
    const set = { profiles: { fresh: { port } } };
    fs.writeFileSync(path.join(folder, `set-${port}.json`), JSON.stringify(set), { mode: 0o600 });
  }
  const steps = [
    ["create", "a", "--port", "9010"],
    ["create", "b", "--port", "9020"],
    ["create", "gone", "--port", "9030"],
    ["remove", "gone", "--yes"],
    ["use", "a"],
  ];
  for (const args of steps) {
    const { status, stderr } = await run(folder, args);
    if (status !== 0) throw new Error(`${args.join(" ")}: exit ${status}: ${stderr}`);
  }
  const state = path.join(homeIn(folder), "profiles/a/state");
  fs.mkdirSync(path.join(state, "deep"));
  fs.writeFileSync(path.join(state, "deep/file"), "content");
}

function homeIn(folder: string): string {
  return path.join(folder, ".lockkeeper");
}

function copy(from: string, to: string): void {
  fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });
}

function environment(folder: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    LOCKKEEPER_HOME: homeIn(folder),
    NO_COLOR: "1",
    FAULT_UNDER: homeIn(folder),
  };
}

async function run(
  folder: string,
  args: readonly string[],
  fault?: string,
): Promise<{
  readonly status: number | null;
  readonly stderr: string;
  readonly counts: Readonly<Record<string, number>>;
}> {
  const report = `${folder}.counts`;
  const env = { ...environment(folder), FAULT_COUNTS: report, ...(fault === undefined ? {} : { FAULT: fault }) };
  const child = spawn(process.execPath, ["--require", preload, program, ...args], {
    env,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  // A killed command has counted nothing.
  const counts = status === null ? {} : (JSON.parse(fs.readFileSync(report, "utf8")) as Record<string, number>);
  fs.rmSync(report, { force: true });
  return { status, stderr, counts };
}

/** Returns all relevant content of the home, one line for each entry, without what differs between runs. */
function snapshot(folder: string): string {
  const home = homeIn(folder);
  const lines: string[] = [];
  for (const entry of fs.readdirSync(home, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(home, file);
    if (/\.lock$|^staging|^run\//.test(name)) continue;
    const shown = name.replace(/^(trash\/[a-z]+)\.[^/]+/, "$1");
    const mode = (fs.lstatSync(file).mode & 0o777).toString(8);
    lines.push(entry.isDirectory() ? `${shown}/ ${mode}` : `${shown} ${mode} ${contentOf(home, file)}`);
  }
  return lines.sort().join("\n");
}

function contentOf(home: string, file: string): string {
  const name = path.basename(file);
  // Random, but one of them must be there whole.
  if (name === "token") return `${fs.readFileSync(file, "utf8").trim().length} characters`;
  // The backup copy for a damaged registry may be one change behind.
  if (name === "registry.last-good.json") return "a copy";
  const text = fs
    .readFileSync(file, "utf8")
    .replaceAll(path.dirname(home), "<folder>")
    .replaceAll(/"(createdAt)": ?"[^"]*"/g, "")
    .replaceAll(/"revision": ?\d+/g, "")
    .replaceAll(/\b9[1-5](\d\d)\b/g, "9x$1");
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function difference(now: string, before: string, after: string): string {
  const known = new Set([...before.split("\n"), ...after.split("\n")]);
  const lines = new Set(now.split("\n"));
  const more = [...lines].filter((line) => !known.has(line));
  const lessThanBefore = before.split("\n").filter((line) => !lines.has(line));
  const lessThanAfter = after.split("\n").filter((line) => !lines.has(line));
  return JSON.stringify({ more, lessThanBefore, lessThanAfter });
}

/** The program stays where it is when this file is built to test/build/faults. */
function findPreload(): string {
  const beside = fileURLToPath(new URL("programs/fail-nth.cjs", import.meta.url));
  return fs.existsSync(beside) ? beside : fileURLToPath(new URL("../../faults/programs/fail-nth.cjs", import.meta.url));
}
