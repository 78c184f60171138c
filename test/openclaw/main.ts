/**
 * `pnpm e2e:openclaw`: two real OpenClaw gateways side by side under Lockkeeper, through the command line, in a scratch
 * home. Prints a line per step, figures at the end, and leaves nothing. Exit 0 when all held, and also, saying so, when
 * the npm registry cannot be reached; exit 1 when something did not hold.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { identifyProcess } from "@lockkeeper/core";
import type { ProfileStatus } from "@lockkeeper/profiles";
import type { CliRun } from "../harness/cli.ts";
import { runCli } from "../harness/cli.ts";
import { holdPort } from "../harness/free-port.ts";
import { livingProcesses } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import type { Installation } from "./install.ts";
import { installOpenClaw, registryFault } from "./install.ts";

const START_TIMEOUT_MS = 180_000;

/** What keeps a gateway from talking to anybody but us while it is watched. */
const QUIET = ["OPENCLAW_OFFLINE=1", "OPENCLAW_NO_AUTO_UPDATE=1", "OPENCLAW_DISABLE_BONJOUR=1"];

const figures: string[] = [];

async function main(): Promise<number> {
  const fault = await registryFault();
  if (fault !== undefined) {
    console.log(`not run: the real OpenClaw comes from the npm registry, which cannot be used: ${fault}`);
    return 0;
  }
  const shared = await openClawTraces();
  const scratch = await mkdtemp(path.join(tmpdir(), "lockkeeper-openclaw-"));
  const user = path.join(scratch, "user");
  const home = path.join(user, ".lockkeeper");
  try {
    await mkdir(path.join(scratch, "tmp"), { recursive: true });
    await mkdir(user);
    const installation = await timed("install", () => installOpenClaw(path.join(scratch, "packages")));
    console.log(`installed ${installation.versions}`);
    const bench = new Bench(home, path.join(scratch, "tmp"));
    await sideBySide(bench, installation).catch(async (error: unknown) => {
      console.error(await bench.story());
      throw error;
    });
    const here = (await readdir(user)).sort().join(" ");
    assert.ok(!existsSync(path.join(user, ".openclaw")), `nothing may appear in ~/.openclaw: ${here}`);
    console.log(`ok: nothing in ~/.openclaw (the scratch home holds ${here})`);
    assert.deepEqual(await livingProcesses(home), [], "processes left over");
    console.log(`ok: nothing left running\n\n${figures.join("\n")}`);
    return 0;
  } finally {
    for (const pid of await livingProcesses(home)) process.kill(pid, "SIGKILL");
    await until("everything of ours has ended", async () => (await livingProcesses(home)).length === 0);
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    for (const trace of await openClawTraces()) {
      if (!shared.includes(trace)) await rm(trace, { recursive: true, force: true });
    }
  }
}

/** What OpenClaw puts into /tmp whatever TMPDIR says: logs and locks, which a user's own gateways have there too. */
async function openClawTraces(): Promise<readonly string[]> {
  const entries = await readdir("/tmp");
  return entries.filter((entry) => entry.startsWith("openclaw")).map((entry) => path.join("/tmp", entry));
}

async function sideBySide(bench: Bench, { command }: Installation): Promise<void> {
  for (const name of ["dev", "prod"]) {
    const variables = QUIET.flatMap((variable) => ["--env", variable]);
    await bench.create(name, [...variables, "--", ...command]);
  }
  await timed("boot of the first", () => bench.ok("start", "dev"));
  await timed("boot of the second beside it", () => bench.ok("start", "prod"));
  const dev = await bench.status("dev");
  const prod = await bench.status("prod");
  for (const { name, state, health, port, pid } of [dev, prod]) {
    assert.deepEqual({ name, state, health }, { name, state: "running", health: "ok" });
    assert.deepEqual(await healthz(port), { ok: true, status: "live" });
    figures.push(`memory of ${name}: ${await bench.memory(pid)}`);
  }
  assert.ok(Math.abs(dev.port - prod.port) >= 120, `blocks overlap: ${dev.port} ${prod.port}`);
  console.log(`ok: both run, on ${dev.port} and ${prod.port}, and answer /healthz`);

  await bench.ok("ports", "--check");
  console.log("ok: no conflict of ports, derived ones included");

  await timed("stop", () => bench.ok("stop", "dev"));
  assert.equal((await bench.status("dev")).state, "stopped");
  assert.deepEqual(await bench.gateways("dev"), []);
  assert.equal((await bench.status("prod")).pid, prod.pid);
  console.log("ok: one stopped whole, the other untouched");

  await bench.ok("start", "dev");
  await bench.killAndAwait("dev", "SIGKILL of the gateway, until it runs again", ["pid"], async () => undefined);
  console.log("ok: a killed gateway is started again by its keeper");
  await bench.killAndAwait("dev", "SIGKILL of both, then start", ["keeperPid", "pid"], () => bench.ok("start", "dev"));
  console.log("ok: after both were killed, start works at once");
  await bench.killAndAwait("dev", "SIGKILL of the keeper, then restart", ["keeperPid"], async () => {
    assert.equal((await bench.status("dev")).state, "orphaned");
    await bench.ok("restart", "dev");
  });
  console.log("ok: an orphan is put under a keeper again");

  await bench.ok("stop", "dev");
  const stranger = await holdPort(dev.port);
  const refused = await bench.run("start", "dev");
  await stranger.release();
  assert.equal(refused.status, 78, refused.stderr);
  assert.match(refused.stderr, new RegExp(`already listening on ws://127\\.0\\.0\\.1:${dev.port}`));
  assert.match(refused.stderr, new RegExp(`pid ${process.pid}`));
  assert.equal((await bench.status("dev")).state, "blocked");
  assert.deepEqual(await bench.gateways("dev"), []);
  console.log("ok: a taken port is refused with its holder (exit 78), nothing is spawned");

  await bench.ok("start", "dev");
  await bench.ok("down");
  const states = (await bench.list()).map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(states, ["dev stopped", "prod stopped"]);
  console.log("ok: both stopped");
}

/** The command line in the scratch home, and what the system says of the gateways in it. */
class Bench {
  readonly #home: string;
  readonly #temporary: string;

  constructor(home: string, temporary: string) {
    this.#home = home;
    this.#temporary = temporary;
  }

  run(...args: readonly string[]): Promise<CliRun> {
    return runCli(this.#home, args, { env: { TMPDIR: this.#temporary }, timeoutMs: START_TIMEOUT_MS });
  }

  async ok(...args: readonly string[]): Promise<void> {
    const { status, stdout, stderr } = await this.run(...args);
    assert.equal(status, 0, `lockkeeper ${args.join(" ")}: exit ${status}\n${stdout}${stderr}`);
  }

  /** Away from the default pool, where a user's own gateways and other tests may be starting. */
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

  /** Everything that carries the profile's state directory in its environment, but for its keeper. */
  async gateways(name: string): Promise<readonly number[]> {
    const { keeperPid, paths } = await this.status(name);
    const found: number[] = [];
    for (const pid of await livingProcesses(this.#home)) {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      if (pid !== keeperPid && environment.includes(`OPENCLAW_STATE_DIR=${paths.state}\0`)) found.push(pid);
    }
    return found;
  }

  /** What a person would look at when something did not hold. */
  async story(): Promise<string> {
    const looks = [["list"], ["why", "dev"], ["logs", "dev", "--lines", "20"]];
    return (await Promise.all(looks.map((look) => this.run(...look)))).map(({ stdout }) => stdout).join("\n");
  }

  async memory(pid: number | null): Promise<string> {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    return `${Math.round(residentKiB / 1_024)} MiB resident`;
  }

  /** Kills the named processes, does what is to be done, and waits until another gateway of the profile runs. */
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

async function healthz(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5_000) });
  return answer.json();
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  figures.push(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
