/**
 * A command's view of the world. A command's file uses no global of Node's `process`: everything comes from here, so that a
 * test can call it like any function.
 */
import type { StopSignals } from "@lockkeeper/core/internal";
import type { Profiles, Programs } from "@lockkeeper/profiles";
import type { CommandSpec } from "./command-line/command.ts";
import type { OutputStream } from "./terminal/output-stream.ts";
import type { Passage } from "./terminal/passage.ts";
import type { TakenScreen } from "./terminal/taken-screen.ts";
import type { TerminalDevice } from "./terminal/terminal-device.ts";
import type { Progress } from "./terminal/progress.ts";
import type { View } from "./terminal/view.ts";

/** Aborted by SIGINT, SIGTERM or SIGHUP. */
export type Interruption = StopSignals;

/** The process as the program sees it; `main.ts` makes the only real one. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  /** Throws OPTION_INVALID when it was deleted, so ask only when it matters. */
  readonly cwd: () => string;
  readonly pid: number;
  /** Of the process that started this one. */
  readonly parentPid: number;
  /** Node's version, and system and processor as in `linux-x64`. */
  readonly runtime: { readonly node: string; readonly platform: string };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Whether somebody can answer a question. */
  readonly canAsk: () => boolean;
  /** Asks on stderr; undefined when the person declined to answer (end of input). */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** The terminal as a whole screen; undefined when input or output is none. */
  readonly terminal: () => TerminalDevice | undefined;
  /** The screen with the first picture; undefined when none was taken. Output of ours gives it back. */
  readonly takenScreen: () => TakenScreen | undefined;
  /** Takes over the handling of signals. Without this call a signal ends the process at once. */
  readonly interruption: () => Interruption;
  /** Ignores signals that have no meaning for a keeper. */
  readonly ignoreStraySignals: () => void;
  /** For a process that runs for months: keeps its memory small. */
  readonly keepHeapSmall: () => void;
  /** A path to stdout for any amount of output; nothing else may be written there afterwards. */
  readonly openPassage: () => Promise<Passage>;
  /** Calls `listen` with each warning of ours from now on, one line without its end. */
  readonly onWarning: (listen: (text: string) => void) => void;
  /** The programs that a keeper and a built-in gateway run as, when they are not those of the package itself. */
  readonly programs: Programs | undefined;
  /** Help made at build time, by command; undefined when there is none. */
  readonly storedHelp: () => Readonly<Record<string, string>> | undefined;
}

/** Everything that one command gets besides its arguments. */
export interface Context {
  /** All commands, for the ones that describe commands. */
  readonly commands: Readonly<Record<string, CommandSpec>>;
  readonly command: string;
  /** Whether the call has options that a hint would have to repeat, besides those that name or confirm profiles. */
  readonly hasOptions: boolean;
  readonly spec: CommandSpec;
  readonly world: World;
  /** Of stdout. */
  readonly view: View;
  readonly json: boolean;
  /** For people, on stderr; silent with `--json` and `--quiet`. */
  readonly progress: Progress;
  readonly openProfiles: () => Promise<Profiles>;
}
