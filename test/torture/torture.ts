/**
 * Tortures a lock. Contender processes acquire and release it without pause. Meanwhile they are killed at random moments
 * and between any two of their steps, stopped and continued; the lock's files are deleted and replaced; and half of them
 * live in a pid namespace of their own. The torture knows nothing of the lock except the adapter's one function:
 * `acquire({ directory, timeoutMs }) => Promise<release>`. It judges by witnesses that do not depend on the lock.
 */
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { seeded } from "../harness/seeded.ts";
import type { World, WorldKind } from "./world.ts";
import { openWorld } from "./world.ts";
import type { Verdict } from "./witness.ts";
import { judgeWitnesses, parseWitnessLog } from "./witness.ts";
import { freePort } from "../harness/ports.ts";

/** The options of a torture; every figure has a default. */
export interface TortureOptions {
  /** Path of the adapter, or the name of one of ours. */
  readonly adapter: string;
  /** @default drawn at random, and reported */
  readonly seed?: number;
  /** @default 8 */
  readonly contenders?: number;
  /**
   * The run ends when it has seen this many, and as many `kills` and `deletions` as wanted; or at `maxMs`. @default
   * 2_000
   */
  readonly acquisitions?: number;
  /** @default 40 */
  readonly kills?: number;
  /** @default 10_000 */
  readonly maxMs?: number;
  /** The longest hold; each is drawn between 0 and this. @default 3 */
  readonly holdMs?: number;
  /** Mean pause between two random kills. @default 100 */
  readonly killEveryMs?: number;
  /** The chance that an acquire is killed between two of its steps; half of it for a release. @default 0.02 */
  readonly stepKillChance?: number;
  /** The longest SIGSTOP. @default 150 */
  readonly stopMs?: number;
  /** How long nobody must have acquired, though nobody owns, until it is a wedge. A busy machine needs longer. @default 6_000 */
  readonly wedgeMs?: number;
  /** How often the lock's files are deleted or replaced, at least; 0: never. @default 0 */
  readonly deletions?: number;
  /**
   * Where the contenders live. `two-paths`: every other one sees the place through a bind mount at another path. `two-disks`: on a
   * disk of their own, while somebody holds the lock of an equal place, with equal inodes, on another. Both need mount namespaces;
   * `one` where this machine makes none. @default "one"
   */
  readonly world?: WorldKind;
  /** Whether the run ends with the first wedge or overlap; for controls. @default false */
  readonly stopWhenCaught?: boolean;
  readonly onProgress?: (text: string) => void;
}

/** The results of a run. */
export interface TortureReport extends Verdict {
  readonly adapter: string;
  readonly seed: number;
  readonly seconds: number;
  readonly randomKills: number;
  readonly stops: number;
  readonly deletions: number;
  /** `one`: this machine permits no other. */
  readonly pidNamespaces: "one" | "two";
  readonly world: WorldKind;
  /** How often nobody could acquire for `wedgeMs`, all but the first second of it in peace, although no owner lived. */
  readonly wedges: number;
}

const DEFAULTS = {
  contenders: 8,
  acquisitions: 2_000,
  kills: 40,
  maxMs: 10_000,
  holdMs: 3,
  killEveryMs: 100,
  stepKillChance: 0.02,
  stopMs: 150,
  wedgeMs: 6_000,
  /**
   * When nobody has owned for this long, nobody is disturbed until somebody does: a wedge is what peace does not cure.
   */
  peaceMs: 1_000,
  /** Longer than any wait that the torture itself causes. */
  acquireTimeoutMs: 60_000,
  tickMs: 10,
};

/** One contender process. `pid` is its own, as seen from here, even when it lives in another namespace. */
interface Contender {
  readonly id: string;
  readonly child: ChildProcess;
  pid: number | undefined;
  isReady: boolean;
  isStopped: boolean;
  /** It was killed, though the news of its exit has not come yet. */
  isDying: boolean;
}

/** Runs one torture and cleans up after it: no process, port or file is left. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const scratch = mkdtempSync(join(tmpdir(), "lk-torture-"));
  const directory = join(scratch, "place");
  mkdirSync(directory);
  const world = await openWorld(options.world ?? "one", directory, pathToFileURL(adapterPath(options.adapter)).href);
  const run = new Run(
    { ...DEFAULTS, seed: Math.floor(Math.random() * 2 ** 31), deletions: 0, stopWhenCaught: false, ...options, world },
    scratch,
  );
  try {
    return await run.finish();
  } finally {
    await run.cleanUp();
    await world.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Settings = Required<Omit<TortureOptions, "onProgress" | "world">> &
  Pick<TortureOptions, "onProgress"> &
  typeof DEFAULTS & { readonly world: World };

class Run {
  readonly #settings: Settings;
  readonly #scratch: string;
  readonly #log: string;
  readonly #random: () => number;
  readonly #hasNamespaces = canUnshare();
  readonly #contenders = new Set<Contender>();
  readonly #deaths = new Map<string, number>();
  readonly #tail: Tail;
  #port = 0;
  #started = 0;
  #randomKills = 0;
  #stops = 0;
  #deletions = 0;
  #wedges = 0;
  #isOver = false;
  #complaint: string | undefined;

  constructor(settings: Settings, scratch: string) {
    this.#settings = settings;
    this.#scratch = scratch;
    this.#log = join(scratch, "witness.log");
    this.#random = seeded(settings.seed);
    closeSync(openSync(this.#log, "a"));
    this.#tail = new Tail(this.#log);
  }

  async finish(): Promise<TortureReport> {
    const { contenders, acquisitions, kills, deletions, maxMs, killEveryMs, tickMs, stopWhenCaught } = this.#settings;
    this.#port = await freePort();
    const startedAt = performance.now();
    for (let n = 0; n < contenders; n++) this.#start();
    let killAt = startedAt + 500;
    let reportAt = startedAt + 5_000;
    while (performance.now() - startedAt < maxMs && this.#complaint === undefined) {
      await delay(tickMs);
      this.#tail.read();
      const killed = this.#randomKills + this.#tail.stepKills;
      if (this.#tail.owners >= acquisitions && killed >= kills && this.#deletions >= deletions) break;
      const now = performance.now();
      if (now >= killAt) {
        this.#disturb();
        killAt = now + this.#random() * 2 * killEveryMs;
      }
      if (now >= reportAt) {
        this.#settings.onProgress?.(`${this.#tail.owners} owners, ${killed} kills, ${this.#wedges} wedges`);
        reportAt = now + 5_000;
      }
      this.#watchForWedge();
      if (stopWhenCaught && (this.#wedges > 0 || this.#tail.overlaps > 0)) break;
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await this.cleanUp();
    if (this.#complaint !== undefined) throw new Error(this.#complaint);
    const verdict = judgeWitnesses(parseWitnessLog(readFileSync(this.#log, "utf8")), this.#deaths);
    return {
      adapter: this.#settings.adapter,
      seed: this.#settings.seed,
      seconds,
      randomKills: this.#randomKills,
      stops: this.#stops,
      deletions: this.#deletions,
      pidNamespaces: this.#hasNamespaces ? "two" : "one",
      world: this.#settings.world.kind,
      wedges: this.#wedges,
      ...verdict,
    };
  }

  /** Ends every contender. */
  async cleanUp(): Promise<void> {
    this.#isOver = true;
    const ended = [...this.#contenders].map(({ child }) => new Promise((settled) => child.once("exit", settled)));
    for (const contender of this.#contenders) this.#kill(contender);
    await Promise.all(ended);
  }

  #start(): void {
    const { adapter, seed, holdMs, stepKillChance, acquireTimeoutMs, world } = this.#settings;
    this.#started += 1;
    const { enter, directory } = world.roomOf(this.#started);
    const id = `c${this.#started}`;
    const settings = {
      id,
      seed: seed + this.#started,
      adapter: pathToFileURL(adapterPath(adapter)).href,
      directory,
      log: this.#log,
      port: this.#port,
      timeoutMs: acquireTimeoutMs,
      holdMs,
      stepKillChance,
    };
    const killer = pathToFileURL(program("step-killer.js")).href;
    const argv = [process.execPath, "--import", killer, program("contender.js"), JSON.stringify(settings)];
    // The shell is the namespace's first process, which signals from inside cannot kill.
    const shell = ["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", '"$@"; exit $?', "sh"];
    // Two in four, so that both pid namespaces meet both rooms of a world.
    const isApart = this.#hasNamespaces && this.#started % 4 < 2;
    const [command = "", ...args] = [...enter, ...(isApart ? ["unshare", ...shell] : []), ...argv];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const contender: Contender = { id, child, pid: undefined, isReady: false, isStopped: false, isDying: false };
    this.#contenders.add(contender);
    child.stdout.once("data", () => {
      contender.pid = isApart ? onlyDescendant(child.pid ?? 0, 2) : child.pid;
      contender.isReady = true;
    });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    child.once("exit", () => {
      this.#contenders.delete(contender);
      this.#tail.forget(id);
      // A contender that ends before it was ready cannot run at all; more of its kind would not help.
      if (!contender.isReady && !this.#isOver) this.#complaint = `a contender did not start: ${complaint}`;
      if (!this.#isOver) this.#start();
    });
  }

  /** Disturbs one contender. */
  #disturb(): void {
    const able = [...this.#contenders].filter(
      ({ pid, isStopped, isDying }) => pid !== undefined && !isStopped && !isDying,
    );
    const victim = able[Math.floor(this.#random() * able.length)];
    // On a busy machine a new process takes longer to start than one lives: let them catch up.
    const areFew = able.length < this.#settings.contenders / 2;
    if (victim === undefined || areFew || this.#tail.idleMs() > this.#settings.peaceMs) return;
    if (this.#settings.deletions > 0 && this.#random() < 0.4) this.#deleteSomething();
    else if (this.#random() < 0.25) this.#stop(victim);
    else {
      this.#randomKills += 1;
      victim.isDying = true;
      this.#deaths.set(victim.id, Number(process.hrtime.bigint()));
      this.#kill(victim);
    }
  }

  #kill({ child, pid }: Contender): void {
    signal(pid, "SIGKILL");
    // Its namespace, and a contender that was not ready yet, end with it.
    if (pid === undefined) child.kill("SIGKILL");
  }

  #stop(victim: Contender): void {
    this.#stops += 1;
    victim.isStopped = true;
    signal(victim.pid, "SIGSTOP");
    setTimeout(() => {
      victim.isStopped = false;
      if (this.#contenders.has(victim)) signal(victim.pid, "SIGCONT");
    }, this.#random() * this.#settings.stopMs);
  }

  /** Removes a file of the lock, or puts a copy in its place. */
  #deleteSomething(): void {
    try {
      const { directory } = this.#settings.world;
      const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      const file = files[Math.floor(this.#random() * files.length)];
      if (file === undefined) return;
      const path = join(file.parentPath, file.name);
      if (this.#random() < 0.5) rmSync(path);
      else {
        const copy = join(this.#scratch, "copy");
        copyFileSync(path, copy);
        renameSync(copy, path);
      }
      this.#deletions += 1;
    } catch {
      // Its owner removed it, or its folder, first.
    }
  }

  #watchForWedge(): void {
    if (this.#tail.idleMs() < this.#settings.wedgeMs || this.#tail.hasLivingOwner()) return;
    const canTry = [...this.#contenders].some(({ isReady, isStopped, isDying }) => isReady && !isStopped && !isDying);
    if (!canTry) return;
    this.#wedges += 1;
    this.#tail.touch();
    this.#sweep();
  }

  /** What a person has to do with such a lock. The contenders live, and may write into it at the same time: the next wedge sweeps again. */
  #sweep(): void {
    const { directory } = this.#settings.world;
    try {
      for (const entry of readdirSync(directory)) {
        rmSync(join(directory, entry), { recursive: true, force: true, maxRetries: 5 });
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    }
  }
}

/** Ten times the pause between two looks. */
const LONGEST_LOOK_MS = 100;

/** Follows the log while the run goes on. */
class Tail {
  owners = 0;
  stepKills = 0;
  /** Owners that came while another one still wrote: a first impression during the run. */
  overlaps = 0;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(1 << 20);
  readonly #owning = new Set<string>();
  #latest = "";
  #offset = 0;
  #rest = "";
  #idleMs = 0;
  #lookedAt = performance.now();

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  read(): void {
    // A look counts for little, however late it comes: while this process stood still, the contenders may have too.
    const now = performance.now();
    this.#idleMs += Math.min(now - this.#lookedAt, LONGEST_LOOK_MS);
    this.#lookedAt = now;
    const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#offset);
    this.#offset += length;
    const text = this.#rest + this.#buffer.toString("latin1", 0, length);
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    for (const { letter, contender } of parseWitnessLog(text.slice(0, end))) {
      // A contender that writes after another one's A was alive at that A.
      if (letter === "R" && this.#latest !== contender) this.overlaps += 1;
      if (letter === "A") {
        this.#latest = contender;
        this.owners += 1;
        this.#owning.add(contender);
        this.touch();
      } else if (letter === "D") this.stepKills += 1;
      else if (letter === "G") this.#owning.delete(contender);
    }
  }

  touch(): void {
    this.#idleMs = 0;
  }

  idleMs(): number {
    return this.#idleMs;
  }

  hasLivingOwner(): boolean {
    return this.#owning.size > 0;
  }

  forget(contender: string): void {
    this.read();
    this.#owning.delete(contender);
  }
}

function program(name: string): string {
  return findBeside("programs", name);
}

function adapterPath(adapter: string): string {
  return /^[\w-]+$/.test(adapter) ? findBeside("adapters", `${adapter}.js`) : resolve(adapter);
}

/** The programs stay where they are when this file is built to test/build/torture. */
function findBeside(folder: string, name: string): string {
  const beside = fileURLToPath(new URL(`${folder}/${name}`, import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL(`../../torture/${folder}/${name}`, import.meta.url));
}

function canUnshare(): boolean {
  return spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "--kill-child", "true"]).status === 0;
}

/** The process `depth` generations below `pid`, of which each has one child. Source: proc_pid_task_children(5). */
function onlyDescendant(pid: number, depth: number): number | undefined {
  if (depth === 0) return pid;
  try {
    const [child = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ");
    return child === "" ? undefined : onlyDescendant(Number(child), depth - 1);
  } catch {
    return undefined;
  }
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in this very moment.
  }
}

function delay(delayMs: number): Promise<void> {
  return new Promise((over) => setTimeout(over, delayMs));
}
