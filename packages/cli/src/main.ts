/**
 * The entry of the program. Only this file and `first-picture.ts` touch Node's `process`: arguments, environment, streams,
 * signals and the exit status go through here to a program that knows none of them.
 */
import { readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { isatty } from "node:tty";
import { LockkeeperError } from "@lockkeeper/core";
import {
  errnoOf,
  fileError,
  ignoreStraySignals,
  interrupted,
  keepHeapSmall,
  takeStopSignals,
  takeWarnings,
} from "@lockkeeper/core/internal";
import { COMMANDS } from "./command-line/commands.ts";
import type { Interruption, World } from "./context.ts";
import { documented } from "./documented-error.ts";
import { loadCommand } from "./loaders.ts";
import { runProgram } from "./program.ts";
import { mayBeTerminal } from "./terminal/device-kind.ts";
import type { OutputStream } from "./terminal/output-stream.ts";
import { takenScreen } from "./terminal/taken-screen.ts";
import type { TerminalDevice } from "./terminal/terminal-device.ts";

/** The folder of the bundle. This very file lies among the files that are loaded from there, one below. */
const BUNDLE = path.dirname(import.meta.dirname);

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A stream that writes to its descriptor at once. Node's own stream objects cost a tenth of a short command's time, so
 * one is made only where it is needed: for the width of a terminal, and for a pipe that is full and does not block.
 */
function outputStream(fd: 1 | 2, open: () => NodeJS.WriteStream): OutputStream {
  let opened: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream => (opened ??= open().on("error", endQuietly));
  const terminal = (): boolean => mayBeTerminal(fd) && stream().isTTY === true;
  return {
    get isTerminal() {
      return terminal();
    },
    get columns() {
      return terminal() ? stream().columns : undefined;
    },
    write(text) {
      // Text on a screen that ends with us would be lost.
      takenScreen()?.giveBack();
      if (opened !== undefined) {
        opened.write(text);
        return;
      }
      let written = 0;
      try {
        written = writeSync(fd, text);
        if (written === Buffer.byteLength(text)) return;
        const bytes = Buffer.from(text);
        while (written < bytes.length) written += writeSync(fd, bytes, written);
      } catch (error) {
        if (errnoOf(error) === "EAGAIN") stream().write(Buffer.from(text).subarray(written));
        else endQuietly(error);
      }
    },
  };
}

/** A reader that went away (`lockkeeper list | head -1`) is not a failure. */
function endQuietly(error: unknown): void {
  if (errnoOf(error) === "EPIPE") process.exit();
  // A keeper in the foreground outlives its terminal until it has stopped its gateway.
  if (errnoOf(error) === "EIO" && hasLostTerminal()) return;
  throw fileError(error, "write the output", "standard output");
}

/** Whether a terminal of ours was closed: it is still the same device, but answers no question. */
function hasLostTerminal(): boolean {
  return [0, 1, 2].some((fd) => mayBeTerminal(fd) && !isatty(fd));
}

/** Ends as the closing of a terminal ends any program. Node's own end aborts, with a core file, when its terminal is gone. */
function endAsHungUp(): void {
  process.removeAllListeners("SIGHUP");
  hangUp();
}

/** Waits that are ended by one of the signals throw this. */
function interruptedBy(signal: string): LockkeeperError {
  return interrupted(
    `by ${signal}`,
    undefined,
    "What was begun may still finish in the background; look with: lockkeeper list",
  );
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

/** For a terminal that was closed after its shell had released us: nobody else tells us. */
function hangUp(): void {
  process.kill(process.pid, "SIGHUP");
}

/** The terminal, for a command that takes the whole screen. */
function openTerminal(): TerminalDevice | undefined {
  const { stdin, stdout } = process;
  if (stdin.isTTY !== true || stdout.isTTY !== true || process.env["TERM"] === "dumb") return undefined;
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    write: (text) => void stdout.write(text),
    open({ onKeys, onResize, leave }) {
      const onData = (data: string): void => onKeys(data);
      const restore = (): void => void writeSync(1, leave);
      process.once("exit", restore);
      stdin.setRawMode(true).setEncoding("utf8").on("data", onData).once("end", hangUp).on("error", hangUp).resume();
      stdout.on("resize", onResize);
      return () => {
        process.off("exit", restore);
        stdin.off("data", onData).off("end", hangUp).pause();
        stdout.off("resize", onResize);
        if (!hasLostTerminal()) stdin.off("error", hangUp).setRawMode(false);
      };
    },
    suspend: () =>
      new Promise((resolve) => {
        process.once("SIGCONT", () => resolve());
        process.kill(process.pid, "SIGTSTP");
      }),
  };
}

function storedHelp(): Readonly<Record<string, string>> | undefined {
  try {
    return JSON.parse(readFileSync(path.join(BUNDLE, "help.json"), "utf8"));
  } catch {
    return undefined;
  }
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new LockkeeperError("OPTION_INVALID", "the directory that this command runs in was deleted", {
      cause,
      hint: "Go to one that exists: cd",
    });
  }
}

let interruption: Interruption | undefined;

const world: World = {
  env: process.env,
  cwd: workingDirectory,
  pid: process.pid,
  get parentPid() {
    return process.ppid;
  },
  get runtime() {
    return { node: process.version, platform: `${process.platform}-${process.arch}` };
  },
  stdout: outputStream(1, () => process.stdout),
  stderr: outputStream(2, () => process.stderr),
  canAsk: () => process.stdin.isTTY === true && (process.env["CI"] ?? "") === "",
  ask,
  terminal: openTerminal,
  takenScreen,
  interruption: () => (interruption ??= takeStopSignals(SIGNALS, interruptedBy)),
  // Not the functions themselves, which are in files that are loaded when they are called.
  ignoreStraySignals: () => ignoreStraySignals(),
  keepHeapSmall: () => keepHeapSmall(),
  openPassage: async () => (await import("./terminal/passage.ts")).openPassage(1),
  onWarning: takeWarnings,
  programs: {
    keeper: `${BUNDLE}${path.sep}keeper.cjs`,
    gateway: `${BUNDLE}${path.sep}gateway.cjs`,
    // As it was called: a link that an upgrade leaves in place outlives the folder that it leads to.
    launcher: [process.execPath, process.argv[1] ?? `${BUNDLE}${path.sep}lockkeeper.cjs`],
  },
  storedHelp,
};

async function main(): Promise<void> {
  process.exitCode = await runProgram({ commands: COMMANDS, load: loadCommand }, process.argv.slice(2), world);
  if (interruption?.received() === "SIGHUP" && hasLostTerminal()) endAsHungUp();
}

/** For a failure that could not be reported: the file that words errors may itself be gone, after an upgrade. */
function tellBriefly(failure: unknown): void {
  const error = documented(failure);
  if (!(error instanceof LockkeeperError)) throw error;
  process.exitCode = 74;
  world.stderr.write(`error: ${error.message}\nhint: ${error.hint ?? "Run it again."}\n`);
}

// Other files of the bundle need what this one exports, which they have once it has run to its end. Node's `queueMicrotask`
// would do the same with fourteen functions that V8 compiles for it.
void Promise.resolve().then(main).catch(tellBriefly);
