/**
 * The command line in a scratch home with the real OpenClaw, what the system reports about the gateways in it, and the
 * figures.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { identifyProcess } from "@lockkeeper/core/internal";
import type { ProfileStatus } from "@lockkeeper/profiles";
import type { CliRun } from "../harness/cli.ts";
import { runCli } from "../harness/cli.ts";
import { livingProcesses } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import type { Installation } from "./install.ts";

const START_TIMEOUT_MS = 180_000;

/** Keeps a gateway from talking to anybody but us while it is watched. */
export const QUIET = ["OPENCLAW_OFFLINE=1", "OPENCLAW_NO_AUTO_UPDATE=1", "OPENCLAW_DISABLE_BONJOUR=1"];

/** One line for each measurement. */
export const figures: string[] = [];

/** The command line in the scratch home, and what the system reports about the gateways in it. */
export class Bench {
  readonly #home: string;
  readonly #env: Record<string, string>;
  readonly user: string;
  readonly installation: Installation;

  /** `user` is the home of a user who has nothing yet; the real OpenClaw is put on the PATH as `openclaw`. */
  constructor(user: string, temporary: string, installation: Installation) {
    this.user = user;
    this.installation = installation;
    this.#home = path.join(user, ".lockkeeper");
    const bin = path.join(user, "bin");
    writeProgram(path.join(bin, "openclaw"), openClawScript(installation));
    this.#env = { TMPDIR: temporary, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
  }

  run(...args: readonly string[]): Promise<CliRun> {
    return this.runWith({}, ...args);
  }

  /** With these variables over the usual ones. */
  runWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliRun> {
    return runCli(this.#home, args, { env: { ...this.#env, ...env }, timeoutMs: START_TIMEOUT_MS });
  }

  /** Returns what the command printed; it must have succeeded. */
  async out(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...args);
    assert.equal(status, 0, `lockkeeper ${args.join(" ")}: exit ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Returns what the command printed; it must have failed. */
  async refused(status: number, ...args: readonly string[]): Promise<string> {
    const run = await this.run(...args);
    assert.equal(run.status, status, `lockkeeper ${args.join(" ")}: exit ${run.status}\n${run.stdout}${run.stderr}`);
    return run.stderr;
  }

  /** Starts OpenClaw as a person does in a terminal, and returns its pid once it has started. */
  async byHand(port: number, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
    const child = spawn("openclaw", [...args], {
      env: { ...this.#env, HOME: this.user, LANG: "C.UTF-8", ...env },
      cwd: this.user,
      stdio: "ignore",
      detached: true,
    });
    child.unref();
    await until(`OpenClaw answers on ${port}`, () => hasStarted(port), START_TIMEOUT_MS);
    assert.ok(child.pid !== undefined);
    return child.pid;
  }

  async ok(...args: readonly string[]): Promise<void> {
    await this.out(...args);
  }

  /** Away from the default pool, where a user's own gateways and other tests may start. */
  async create(name: string, args: readonly string[]): Promise<void> {
    for (let attemptsLeft = 10; ; attemptsLeft -= 1) {
      const port = 20_000 + Math.floor(Math.random() * 12_000);
      const { status, stderr } = await this.run("create", name, "--kind", "openclaw", "--port", String(port), ...args);
      if (status === 0) return;
      assert.ok(status === 78 && attemptsLeft > 0, `create ${name}: exit ${status}\n${stderr}`);
    }
  }

  async list(): Promise<readonly ProfileStatus[]> {
    return JSON.parse((await this.run("list", "--json")).stdout);
  }

  async status(name: string): Promise<ProfileStatus> {
    const found = (await this.list()).find((profile) => profile.name === name);
    assert.ok(found, `no profile named ${name}`);
    return found;
  }

  /** All processes that carry the profile's state directory in their environment, except its keeper. */
  async gateways(name: string): Promise<readonly number[]> {
    const { keeperPid, paths } = await this.status(name);
    const found: number[] = [];
    for (const pid of await livingProcesses(this.#home)) {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      if (pid !== keeperPid && environment.includes(`OPENCLAW_STATE_DIR=${paths.state}\0`)) found.push(pid);
    }
    return found;
  }

  /** What a person would look at when a check failed. */
  async story(): Promise<string> {
    const names = (await this.list()).map(({ name }) => name);
    const looks = [
      ["list"],
      ["doctor"],
      ...names.flatMap((name) => [
        ["why", name],
        ["logs", name, "--lines", "10"],
      ]),
    ];
    return (await Promise.all(looks.map((look) => this.run(...look)))).map(({ stdout }) => stdout).join("\n");
  }

  async memory(pid: number | null): Promise<string> {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    return `${Math.round(residentKiB / 1_024)} MiB resident`;
  }

  /** Kills the named processes, runs the given action, and waits until another gateway of the profile runs. */
  async killAndAwait(
    name: string,
    title: string,
    victims: readonly ("pid" | "keeperPid")[],
    act: () => Promise<void>,
  ): Promise<void> {
    const before = await this.status(name);
    await timed(title, async () => {
      const pids = victims.map((victim) => before[victim]).filter((pid) => pid !== null);
      assert.equal(pids.length, victims.length, `${name} does not run whole`);
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await until("the killed are gone", () => pids.every((pid) => identifyProcess(pid) === undefined));
      await act();
      await until(
        "another gateway runs",
        async () => {
          const now = await this.status(name);
          return now.state === "running" && now.pid !== before.pid;
        },
        START_TIMEOUT_MS,
      );
    });
    assert.deepEqual(await healthz(before.port), { ok: true, status: "live" });
  }
}

export async function healthz(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5_000) });
  return answer.json();
}

export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  figures.push(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result;
}

async function hasStarted(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/startupz`).catch(() => undefined);
  return answer?.ok === true;
}

/** Writes an executable shell program. */
export function writeProgram(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

/** The program behind `openclaw` on the PATH. */
function openClawScript({ command }: Installation): string {
  return `export ${QUIET.join(" ")}\nexec ${command.map((part) => `'${part}'`).join(" ")} "$@"`;
}

/** Returns one hash over every path, mode, time of change, link target and byte below `folder`. */
export function treeHash(folder: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const file = path.join(folder, entry);
    const stats = lstatSync(file);
    hash.update(`${entry} ${stats.mode} ${stats.mtimeMs} ${stats.size}\n`);
    if (stats.isSymbolicLink()) hash.update(readlinkSync(file));
    if (stats.isFile()) hash.update(readFileSync(file));
  }
  return hash.digest("hex");
}
