/**
 * A home for one test, and the proof that nothing of it is left: every process whose record names this home has ended,
 * its ports are free, its folder is removed. Used through `withScratchHome`.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runCli } from "./cli.ts";
import type { CliOptions, CliRun } from "./cli.ts";
import { profilePool } from "./ports.ts";
import { until } from "./until.ts";

export interface ScratchHome {
  /** The value of LOCKKEEPER_HOME; it holds settings, and no profile yet. */
  readonly home: string;
  /** The user's home around it. */
  readonly folder: string;
  readonly run: (args: readonly string[], options?: CliOptions) => Promise<CliRun>;
  /** Runs a command that a test needs before it can ask anything; fails when its exit status is not 0. */
  readonly mustRun: (args: readonly string[], options?: CliOptions) => Promise<CliRun>;
  /** Runs a command that prints JSON and returns the parsed output; fails when its exit status is not 0. */
  readonly json: (args: readonly string[]) => Promise<unknown>;
}

/** Gives `use` a home; afterwards stops everything that runs there, and fails when a process is left over. */
export async function withScratchHome(use: (scratch: ScratchHome) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-home-"));
  const home = path.join(folder, ".lockkeeper");
  await mkdir(home, { mode: 0o700 });
  await writeFile(path.join(home, "config.json"), JSON.stringify(profilePool()), { mode: 0o600 });
  const run: ScratchHome["run"] = (args, options) => runCli(home, args, options);
  const mustRun: ScratchHome["mustRun"] = async (args, options) => {
    const ended = await run(args, options);
    if (ended.status !== 0) throw new Error(`lockkeeper ${args.join(" ")}: exit ${ended.status}: ${ended.stderr}`);
    return ended;
  };
  const json: ScratchHome["json"] = async (args) => JSON.parse((await mustRun([...args, "--json"])).stdout);
  try {
    await use({ home, folder, run, mustRun, json });
    if (existsSync(path.join(home, "run"))) await stopEverything(home, run);
  } finally {
    for (const pid of await livingProcesses(home)) killQuietly(pid);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function stopEverything(home: string, run: ScratchHome["run"]): Promise<void> {
  const { stdout } = await run(["list", "--quiet"]);
  const names = stdout.split("\n").filter((name) => name !== "");
  if (names.length === 0) return;
  const stopped = await run(["stop", ...names, ...names.map((name) => `--confirm=${name}`)]);
  if (stopped.status !== 0) throw new Error(`the test's gateways could not be stopped: ${stopped.stderr}`);
  await until("every process of the test is gone", async () => (await livingProcesses(home)).length === 0);
}

/** Kills a process that may have ended since it was seen. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** The processes that carry this home in their environment (Linux): keepers, gateways and all their children. */
export async function livingProcesses(home: string): Promise<readonly number[]> {
  if (process.platform !== "linux") return [];
  const mark = `LOCKKEEPER_HOME=${home}\0`;
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(`/proc/${entry}/environ`, "latin1").catch(() => "");
    if (environment.includes(mark)) found.push(Number(entry));
  }
  return found;
}
