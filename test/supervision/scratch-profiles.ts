/**
 * Profiles in their own home, through the library's door, and the proof that nothing of them is left: used through
 * `withProfiles`. Also what the tests watch from outside: the running processes and listeners, as the system reports
 * them.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { findHolders, identifyProcess, readListeners } from "@lockkeeper/core/internal";
import type { Profiles, ProfileStatus } from "@lockkeeper/profiles";
import { openProfiles } from "@lockkeeper/profiles";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bareEnvironment } from "../harness/cli.ts";
import { profilePlace } from "../harness/ports.ts";
import { killQuietly, livingProcesses } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";

export interface ScratchProfiles {
  readonly profiles: Profiles;
  readonly home: string;
  /** The folder around the home, for a test's own files. */
  readonly folder: string;
  /** Creates a profile on a block that no other test uses. */
  readonly create: (options: Parameters<Profiles["create"]>[0]) => Promise<ProfileStatus>;
}

/**
 * Gives `use` a home of profiles; afterwards stops everything that runs there, and fails when a process is left over.
 */
export async function withProfiles(
  use: (scratch: ScratchProfiles) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-profiles-"));
  const home = path.join(folder, ".lockkeeper");
  const profiles = await openProfiles({ home, env: { ...bareEnvironment(home), ...env } });
  try {
    await use({ profiles, home, folder, create: (options) => createSomewhere(profiles, options) });
    for (const { name } of await profiles.list({ probe: false })) await profiles.stop(name);
    // A keeper reports its end shortly before it has ended.
    await until("no process of the test is left", async () => (await livingProcesses(home)).length === 0);
  } finally {
    // Repeatedly: a keeper that is about to be killed may be starting its gateway once more.
    await until("everything of the test has ended", async () => {
      const left = await livingProcesses(home);
      for (const pid of left) killQuietly(pid);
      return left.length === 0;
    });
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Creates a profile where no other test has one. */
async function createSomewhere(profiles: Profiles, options: Parameters<Profiles["create"]>[0]): Promise<ProfileStatus> {
  for (let attempt = 0; ; attempt += 1) {
    const port = profilePlace(options.span ?? (options.kind === "openclaw" ? 120 : 10));
    try {
      return await profiles.create({ ...options, port });
    } catch (error) {
      const taken = error instanceof LockkeeperError && ["PORT_IN_USE", "PORTS_OVERLAP"].includes(error.code);
      if (!taken || attempt === 20) throw error;
    }
  }
}

/** Waits until the record of `name` says running: for profiles in a container, which a look from outside may not see. */
export async function untilRecordedAsRunning(home: string, name: string): Promise<void> {
  const record = path.join(home, `run/${name}.json`);
  await until(`${name} runs by its record`, () => {
    try {
      return (JSON.parse(readFileSync(record, "utf8")) as { state: string }).state === "running";
    } catch {
      return false;
    }
  });
}

/** Returns the command line that runs one of the fixtures beside this file. */
export function fixture(name: string, ...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(`fixtures/${name}.js`, import.meta.url)), ...args];
}

/** Returns the living processes of a home whose own command line names `program`: one look, no wait. */
export function gatewaysOf(home: string, program: string): readonly number[] {
  const mark = `LOCKKEEPER_HOME=${home}\0`;
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => readProcess(pid, "cmdline").split("\0")[1]?.includes(program) === true)
    .filter((pid) => readProcess(pid, "environ").includes(mark))
    .map(Number);
}

/**
 * Counts those for {@link sample} that lived at the same time. One look takes time, and this process may stand still in it:
 * what a second look does not find may have ended before the others began. A freshly forked child looks like its parent
 * until it runs its program.
 */
export function countGateways(home: string, program: string): number {
  const found = gatewaysOf(home, program).filter((pid, _, all) => !all.includes(parentOf(pid)));
  if (found.length < 2) return found.length;
  const still = gatewaysOf(home, program);
  return found.filter((pid) => still.includes(pid)).length;
}

/** Source: proc_pid_stat(5), field 4; the name in parentheses before it may hold anything. */
function parentOf(pid: number): number {
  const stat = readProcess(String(pid), "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function readProcess(pid: string, file: "cmdline" | "environ" | "stat"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Returns the processes that listen on `port`, on any address. */
export function ownersOf(port: number): ReadonlySet<number> {
  const listeners = readListeners();
  if (listeners === "unknown") throw new Error("this system does not show listeners");
  const here = listeners.filter((listener) => listener.port === port);
  return new Set([...findHolders(here).values()].map(({ pid }) => pid));
}

/**
 * Samples once before it returns and then as often as it can, until the returned function is called. That function
 * returns the number of samples and the greatest number seen in one.
 */
export function sample(count: () => number): () => Promise<{ samples: number; most: number }> {
  const over = new AbortController();
  let most = count();
  let samples = 1;
  const loop = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      await delay(2);
      most = Math.max(most, count());
      samples += 1;
    }
  })();
  return async () => {
    over.abort();
    await loop;
    return { samples, most };
  };
}

/** Returns the pid; fails without one, as the signal would go to our own group then. */
export function mustPid(pid: number | null): number {
  if (pid === null) throw new Error("no such process");
  return pid;
}

/** Kills the process with SIGKILL, and returns when it is gone. */
export async function killAndWait(...pids: readonly (number | null)[]): Promise<void> {
  for (const pid of pids) process.kill(mustPid(pid), "SIGKILL");
  for (const pid of pids) await until(`pid ${pid} is gone`, () => !isAlive(pid));
}

/** Returns whether the process lives; a zombie does not. */
export function isAlive(pid: number | null): boolean {
  return pid !== null && identifyProcess(pid) !== undefined;
}
