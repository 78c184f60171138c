/**
 * How much longer than `node -e 0` a command takes, as ratios of medians taken in turns, on homes of 100 and 1,000
 * profiles of which nothing runs. Wall time: on a busy machine only the ratios mean something.
 */
import { openProfiles } from "@lockkeeper/profiles";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CLI_ENTRY, bareEnvironment } from "../harness/cli.ts";

const ROUNDS = 25;
const FLOOR = "node -e 0";

interface Case {
  readonly title: string;
  readonly argv: readonly string[];
  readonly home: string;
  /** The greatest ratio that counts as met. */
  readonly target: number | null;
}

/** Measures and prints a table; takes about two minutes, most of it for making 1,100 profiles. */
export async function run(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-bench-"));
  try {
    const [empty, hundred, thousand] = [path.join(folder, "0"), path.join(folder, "100"), path.join(folder, "1000")];
    await fill(hundred, 100);
    await fill(thousand, 1_000);
    const cases: readonly Case[] = [
      { title: FLOOR, argv: ["-e", "0"], home: empty, target: null },
      command("--version", ["--version"], empty, 1.1),
      command("--help", ["--help"], empty, 1.1),
      command("current", ["current"], hundred, 1.1),
      command("list of 100", ["list"], hundred, 1.15),
      command("list of 1,000", ["list"], thousand, 1.25),
    ];
    const times = new Map(cases.map(({ title }) => [title, [] as number[]]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const one of cases) times.get(one.title)?.push(measureMs(one.argv, one.home));
    }
    // A create changes its home, so each takes another name.
    const creations: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      creations.push(measureMs([CLI_ENTRY, "create", `extra-${round}`], thousand));
    }
    times.set("create in 1,000", creations);
    report([...cases, { title: "create in 1,000", argv: [], home: thousand, target: 1.6 }], times);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function command(title: string, args: readonly string[], home: string, target: number): Case {
  return { title, argv: [CLI_ENTRY, ...args], home, target };
}

async function fill(home: string, count: number): Promise<void> {
  const profiles = await openProfiles({ home, env: {} });
  for (let number = 0; number < count; number += 1) await profiles.create({ name: `p${number}`, kind: "builtin" });
  await profiles.use("p0");
}

function measureMs(argv: readonly string[], home: string): number {
  const from = performance.now();
  const { status } = spawnSync(process.execPath, argv, { env: bareEnvironment(home), stdio: "ignore" });
  if (status !== 0) throw new Error(`${argv.join(" ")}: exit ${status}`);
  return performance.now() - from;
}

function report(cases: readonly Case[], times: ReadonlyMap<string, readonly number[]>): void {
  const floor = median(times.get(FLOOR) ?? []);
  for (const { title, target } of cases) {
    const own = median(times.get(title) ?? []);
    const aim = target === null ? "" : ` (target <= ${target.toFixed(2)})`;
    process.stdout.write(`${title.padEnd(16)} ${own.toFixed(1).padStart(7)} ms  ${(own / floor).toFixed(2)}${aim}\n`);
  }
  process.stdout.write(`medians of ${ROUNDS}, in turns\n`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
