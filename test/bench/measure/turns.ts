/** Runs commands in turns, A B C A B C, so that a slow moment of the machine slows all of them. */
import { spawnSync } from "node:child_process";
import { bareEnvironment, CLI_ENTRY } from "../../harness/cli.ts";
import { findOnPath } from "./machine.ts";

/** One measured command. */
export interface Contestant {
  readonly title: string;
  /** The whole command of a round. */
  readonly argv: (round: number) => readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Exit statuses that do not count as failures. @default [0] */
  readonly statuses?: readonly number[];
  /** The greatest ratio over the floor that meets the target. */
  readonly target?: number;
}

/** What every ratio is divided by. */
export const FLOOR = "`node -e 0`";

/** A command that hangs ends the bench. */
const TIMEOUT_MS = 120_000;

/** The figures of one run. */
export interface Sample {
  readonly wallMs: number;
  /**
   * User and system time, which hardly depends on the rest of the machine; the wall time where there is no bash to
   * report it.
   */
  readonly computingMs: number;
}

/** Every run of each contestant, by title. */
export type Times = ReadonlyMap<string, readonly Sample[]>;

/** Returns the figures of each run. One more round comes first and is not counted. */
export function takeTurns(contestants: readonly Contestant[], rounds: number): Times {
  const times = new Map(contestants.map(({ title }) => [title, [] as Sample[]]));
  for (let round = -1; round < rounds; round += 1) {
    for (const contestant of contestants) {
      const sample = timeOf(contestant, round);
      if (round >= 0) times.get(contestant.title)?.push(sample);
    }
  }
  return times;
}

/** Node does not report the computing time of a child. Bash does, in milliseconds, without its own time. */
const bash = findOnPath("bash");
const TIMED = 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>&1';

function timeOf({ title, argv, env, statuses = [0] }: Contestant, round: number): Sample {
  const [program, ...args] = bash === undefined ? argv(round) : [bash, "-c", TIMED, "bash", ...argv(round)];
  const begun = performance.now();
  const { status, error, stderr } = spawnSync(program, args, {
    env,
    stdio: ["ignore", "ignore", bash === undefined ? "ignore" : "pipe"],
    timeout: TIMEOUT_MS,
    encoding: "utf8",
  });
  const wallMs = performance.now() - begun;
  if (error !== undefined) throw error;
  if (!statuses.includes(status ?? -1)) throw new Error(`${title}: exit status ${status}`);
  return { wallMs, computingMs: bash === undefined ? wallMs : parseTimes(stderr) };
}

/** Returns the sum, in milliseconds, of seconds in the format of bash: `0.021 0.004`. */
export function parseTimes(text: string): number {
  const [user = Number.NaN, system = Number.NaN] = (text.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return (user + system) * 1_000;
}

/** Returns the floor: Node itself, doing nothing. */
export function nodeFloor(node: string, home: string, title: string = FLOOR): Contestant {
  return { title, argv: () => [node, "-e", "0"], env: bareEnvironment(home) };
}

/** Returns a call of ours. `{round}` in `args` stands for the number of the round. */
export function ourCommand(
  node: string,
  title: string,
  args: readonly string[],
  home: string,
  target?: number,
  statuses?: readonly number[],
): Contestant {
  return {
    title,
    argv: (round) => [node, CLI_ENTRY, ...args.map((arg) => arg.replace("{round}", `${process.pid}-${round + 1}`))],
    env: bareEnvironment(home),
    ...(target === undefined ? {} : { target }),
    ...(statuses === undefined ? {} : { statuses }),
  };
}
