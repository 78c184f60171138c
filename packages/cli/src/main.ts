/**
 * The entry of the program, and the only file that touches Node's `process`: arguments, environment, streams, signals
 * and the exit status go through here to a program that knows none of them.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { COMMANDS } from "./command-line/commands.ts";
import type { Interruption, OutputStream, World } from "./context.ts";
import { runProgram } from "./program.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Streams are opened when they are first used: a call that never writes to stderr does not pay for it. */
function outputStream(open: () => NodeJS.WriteStream): OutputStream {
  let opened: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream => {
    if (opened !== undefined) return opened;
    opened = open();
    // A reader that went away (`lockkeeper list | head -1`) is no failure, and there is nobody left to tell.
    opened.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit();
    });
    return opened;
  };
  return {
    get isTerminal() {
      return stream().isTTY === true;
    },
    get columns() {
      return stream().columns;
    },
    write: (text) => void stream().write(text),
  };
}

function takeSignals(): Interruption {
  const stop = new AbortController();
  const force = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => (stop.signal.aborted ? force : stop).abort());
  }
  return { stop: stop.signal, force: force.signal };
}

async function ask(question: string): Promise<string | undefined> {
  const { createInterface } = await import("node:readline/promises");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<undefined>((resolve) => reader.once("close", () => resolve(undefined)));
    return await Promise.race([reader.question(question), ended]);
  } finally {
    reader.close();
  }
}

function storedHelp(): Readonly<Record<string, string>> | undefined {
  try {
    return JSON.parse(readFileSync(path.join(import.meta.dirname, "help.json"), "utf8"));
  } catch {
    return undefined;
  }
}

let interruption: Interruption | undefined;

const world: World = {
  env: process.env,
  cwd: () => process.cwd(),
  pid: process.pid,
  runtime: { node: process.version, platform: `${process.platform}-${process.arch}` },
  stdout: outputStream(() => process.stdout),
  stderr: outputStream(() => process.stderr),
  canAsk: () => process.stdin.isTTY === true && (process.env["CI"] ?? "") === "",
  ask,
  interruption: () => (interruption ??= takeSignals()),
  programs: {
    keeper: path.join(import.meta.dirname, "keeper.cjs"),
    gateway: path.join(import.meta.dirname, "gateway.cjs"),
  },
  storedHelp,
};

async function main(): Promise<void> {
  process.exitCode = await runProgram(COMMANDS, process.argv.slice(2), world);
}

void main();
