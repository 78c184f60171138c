/**
 * Starts the fixture programs of this room, reads their output, and ends them by their own pids. For its tests only.
 */
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A running fixture program. */
export interface Program {
  readonly child: ChildProcess;
  /** The words of its ready line. */
  readonly ready: readonly string[];
  /** Waits for the next line that begins with `word`, and returns its words. */
  line(word: string): Promise<readonly string[]>;
  kill(signal: NodeJS.Signals): void;
  exited(): Promise<void>;
}

/** The limit for one line of a program. */
const PATIENCE_MS = 120_000;

const started = new Set<ChildProcess>();

/** A program, and the command that runs it: one that enters a namespace, for example. */
export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly under?: readonly string[];
  readonly nodeArgs?: readonly string[];
}

/** Starts a fixture program and waits for its ready line. */
export async function startProgram(command: Command): Promise<Program> {
  const program = launch(command);
  return { ...program, ready: await program.line("ready") };
}

/** Starts a fixture program without waiting for anything. */
export function launch({ name, args, under = [], nodeArgs = [] }: Command): Omit<Program, "ready"> {
  const file = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  const [command = process.execPath, ...rest] = [...under, process.execPath, ...nodeArgs, file, ...args];
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", "pipe"] });
  started.add(child);
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
  let isOver = false;
  void ended.then(() => (isOver = true));
  const line = async (word: string): Promise<readonly string[]> => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const index = said.findIndex((text) => text.split(" ")[0] === word);
      if (index >= 0) return said.splice(index, 1)[0]?.split(" ") ?? [];
      if (isOver) throw new Error(`${name} did not say "${word}": ${complaint}`);
      if (performance.now() > deadline) throw new Error(`not so after ${PATIENCE_MS} ms: ${name} says "${word}"`);
      await Promise.race([once(lines, "line"), ended, delay(1_000)]);
    }
  };
  return { child, line, kill: (signal) => child.kill(signal), exited: () => ended };
}

/** Ends whatever still runs. */
export async function endPrograms(): Promise<void> {
  for (const child of started) {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
    }
  }
  started.clear();
}

/** The command prefix for a new pid namespace, or undefined where the machine does not permit one. */
export function ownPidNamespace(...more: readonly string[]): readonly string[] | undefined {
  const unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", ...more];
  return spawnSync("unshare", [...unshare.slice(1), "true"]).status === 0 ? unshare : undefined;
}

/** Reads a file of /proc, or "" when it is gone. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function delay(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
