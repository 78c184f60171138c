/**
 * The lock beside its floor and its peers, in interleaved rounds, as medians: acquire and release, takeover after a
 * SIGKILL, and the result of the same torture for each. Prints one table for docs/lock.md; asserts nothing. Takes about
 * two minutes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { atMost } from "./measure/table.ts";
import type { Row } from "./measure/table.ts";
import type { Section } from "./sections/section.ts";
import type { TortureReport } from "../torture/torture.ts";
import { torture } from "../torture/torture.ts";

const ROUNDS = 9;
const CYCLES = 1_000;
const KILLS = 41;
/** proper-lockfile waits its 2 s of staleness each time. */
const SLOW_KILLS = 2;
const TORTURE_MS = 12_000;

type Acquire = (options: { directory: string; timeoutMs: number }) => Promise<() => Promise<void>>;

/** The results of one lock. A figure that was not measured is undefined. */
interface LockRow {
  readonly name: string;
  readonly cycleUs: number | undefined;
  readonly reclaimMs: number | undefined;
  readonly torture: TortureReport | undefined;
}

/** Measures and prints. */
export async function run(): Promise<void> {
  const scratch = fs.mkdtempSync(join(tmpdir(), "lk-bench-lock-"));
  try {
    const adapters = ["lockkeeper", "pid-file", "proper-lockfile"];
    const cycles = await measureCycles(scratch, adapters);
    const reclaims = await measureReclaims(scratch, adapters);
    const rows: LockRow[] = [];
    for (const name of [...adapters, "lockkeeper-fallback", "no-lock"]) {
      const report = await torture({ adapter: name, acquisitions: Infinity, kills: Infinity, maxMs: TORTURE_MS });
      rows.push({ name, cycleUs: cycles.get(name), reclaimMs: reclaims.get(name), torture: report });
    }
    const floorUs = cycles.get(FLOOR) ?? Number.NaN;
    const exitMs = reclaims.get(FLOOR) ?? Number.NaN;
    const floor = { name: `floor: ${FLOOR}`, cycleUs: floorUs, reclaimMs: exitMs, torture: undefined };
    process.stdout.write(`${formatTable([floor, ...rows], floorUs, exitMs)}\n`);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

const FLOOR = "the same calls, no lock; process exit";

/**
 * Returns rows: acquire and release, ours and proper-lockfile's over the same calls without a lock, and our takeover over the
 * news of an exit.
 */
export async function compareLocks(quick: boolean): Promise<Section> {
  const scratch = fs.mkdtempSync(join(tmpdir(), "lk-bench-lock-"));
  try {
    const cycles = await measureCycles(scratch, ["lockkeeper", "proper-lockfile"], quick ? 1 : ROUNDS);
    const floorUs = cycles.get(FLOOR) ?? Number.NaN;
    const rows = [...cycles].map(([name, cycleUs]): Row => {
      const figure = `${cycleUs.toFixed(0)} µs`;
      if (name === FLOOR) return { what: "the same file calls, no lock", figure, ratio: 1 };
      const over = "the same calls";
      return {
        what: name,
        figure,
        ratio: cycleUs / floorUs,
        over,
        ...(name === "lockkeeper" ? { target: atMost(1.5) } : {}),
      };
    });
    const reclaims = await measureReclaims(scratch, ["lockkeeper"], quick ? 5 : KILLS);
    const exitMs = reclaims.get(FLOOR) ?? Number.NaN;
    const reclaimMs = reclaims.get("lockkeeper") ?? Number.NaN;
    rows.push(
      { what: "the news that a killed owner has ended", figure: `${exitMs.toFixed(1)} ms`, wallRatio: 1 },
      {
        what: "lockkeeper: a waiter owns after the owner was killed",
        figure: `${reclaimMs.toFixed(1)} ms`,
        wallRatio: reclaimMs / exitMs,
        over: "that news",
        target: atMost(1.5),
      },
    );
    const note =
      "First the computing time of one acquire and release, then takeover by the clock. `pnpm bench lock` also tortures each.";
    return { title: "The lock", note, rows };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function measureCycles(
  scratch: string,
  adapters: readonly string[],
  rounds: number = ROUNDS,
): Promise<Map<string, number>> {
  const contestants = new Map<string, Acquire>([[FLOOR, acquireNothing]]);
  for (const name of adapters) contestants.set(name, await loadAdapter(name));
  const samples = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, acquire] of contestants) {
      const directory = join(scratch, `cycle-${name.replaceAll(/\W/g, "")}`);
      prepare(directory);
      const runCycles = async (count: number): Promise<void> => {
        for (let cycle = 0; cycle < count; cycle++) await (await acquire({ directory, timeoutMs: 10_000 }))();
      };
      // The first look at /proc/locks after a while makes the kernel wait once for all its cores.
      await runCycles(CYCLES / 10);
      // Computing time, not wall time: nothing here waits, and the machine may be busy.
      const before = process.cpuUsage();
      await runCycles(CYCLES);
      const { user, system } = process.cpuUsage(before);
      const cycleUs = (user + system) / CYCLES;
      // The first round is a warm-up.
      if (round > 0) samples.set(name, [...(samples.get(name) ?? []), cycleUs]);
    }
  }
  return medians(samples);
}

/** The file-system calls that one acquire and release of our lock make, without the locking between them. */
async function acquireNothing({ directory }: { directory: string }): Promise<() => Promise<void>> {
  const lockDir = join(directory, "lock");
  fs.lstatSync(lockDir, { bigint: true, throwIfNoEntry: false });
  fs.realpathSync.native(join(directory, "gateway.json"));
  fs.realpathSync.native(directory);
  const path = join(lockDir, "gateway.00000000.lock");
  const earlierPath = join(lockDir, "gateway.11111111.lock");
  const file = openBare(path);
  const mark = fs.openSync(lockDir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  fs.fstatSync(mark, { bigint: true });
  const earlier = openBare(earlierPath);
  fs.readFileSync("/proc/locks", "utf8");
  for (const fd of [file, earlier]) fs.writeSync(fd, Buffer.alloc(1_024, " "), 0, 1_024, 0);
  for (const each of [path, earlierPath]) fs.lstatSync(each, { bigint: true, throwIfNoEntry: false });
  fs.readdirSync(lockDir);
  return async () => {
    fs.closeSync(mark);
    closeBare(earlier, earlierPath);
    closeBare(file, path);
  };
}

function openBare(path: string): number {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;
  const fd = fs.openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CREAT | O_EXCL, 0o600);
  fs.fstatSync(fd, { bigint: true });
  fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  fs.readSync(fd, Buffer.allocUnsafe(1_024), 0, 1_024, 0);
  return fd;
}

function closeBare(fd: number, path: string): void {
  fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  fs.unlinkSync(path);
  fs.closeSync(fd);
}

/**
 * The time from the SIGKILL of an owner to the next owner, which is already waiting; for the floor, to the news of the
 * exit.
 */
async function measureReclaims(
  scratch: string,
  adapters: readonly string[],
  rounds: number = KILLS,
): Promise<Map<string, number>> {
  const samples = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of [FLOOR, ...adapters]) {
      if (name === "proper-lockfile" && round >= SLOW_KILLS) continue;
      const directory = join(scratch, `reclaim-${name.replaceAll(/\W/g, "")}`);
      prepare(directory);
      samples.set(name, [...(samples.get(name) ?? []), await reclaimOnce(name, directory)]);
    }
  }
  return medians(samples);
}

async function reclaimOnce(name: string, directory: string): Promise<number> {
  const isFloor = name === FLOOR;
  const adapter = isFloor ? "lockkeeper" : name;
  const holder = spawn(process.execPath, [beside("lock-holder.js", "bench"), adapterUrl(adapter), directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(holder, "exit");
  await once(holder.stdout, "data");
  const acquire = await loadAdapter(adapter);
  const next = isFloor ? exited : acquire({ directory, timeoutMs: 30_000 });
  // The waiter has been refused at least once, and waits.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const killedAt = performance.now();
  holder.kill("SIGKILL");
  const taken: unknown = await next;
  const reclaimMs = performance.now() - killedAt;
  await exited;
  if (typeof taken === "function") await taken();
  return reclaimMs;
}

function prepare(directory: string): void {
  fs.mkdirSync(join(directory, "lock"), { recursive: true, mode: 0o700 });
  fs.writeFileSync(join(directory, "gateway.json"), "{}");
}

async function loadAdapter(name: string): Promise<Acquire> {
  const { acquire } = (await import(adapterUrl(name))) as { acquire: Acquire };
  return acquire;
}

function adapterUrl(name: string): string {
  return pathToFileURL(beside(`${name}.js`, "torture/adapters")).href;
}

/** Programs stay in `test` when this file is built to test/build/bench. */
function beside(file: string, folder: string): string {
  const source = fileURLToPath(new URL(`../${folder}/${file}`, import.meta.url));
  return fs.existsSync(source) ? source : fileURLToPath(new URL(`../../${folder}/${file}`, import.meta.url));
}

function medians(samples: ReadonlyMap<string, readonly number[]>): Map<string, number> {
  return new Map(
    [...samples].map(([name, values]) => [name, [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0]),
  );
}

function formatTable(rows: readonly LockRow[], floorUs: number, exitMs: number): string {
  const lines = [
    "| lock | acquire+release, CPU µs (ratio) | takeover after SIGKILL ms (ratio) | owners under torture | overlaps log / port | wedges |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const { name, cycleUs, reclaimMs, torture: report } of rows) {
    const cells = [
      name,
      withRatio(cycleUs, floorUs),
      withRatio(reclaimMs, exitMs),
      report === undefined ? "" : String(report.owners),
      report === undefined ? "" : `${report.overlaps} / ${report.portClashes}`,
      report === undefined ? "" : String(report.wedges),
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

function withRatio(value: number | undefined, floor: number): string {
  return value === undefined ? "" : `${value.toFixed(1)} (${(value / floor).toFixed(2)})`;
}
