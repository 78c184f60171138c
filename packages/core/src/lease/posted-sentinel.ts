/**
 * The keeper's side of its sentinel: starts it, tells it every new deadline, and replaces one that has died or does not
 * answer. Invariant: `post` returns only after a sentinel has confirmed the order, so no gateway runs without one.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";

import { LockkeeperError } from "../errors.ts";
import { RUN_VARIABLE } from "../host/run-bond.ts";
import { pause } from "../pause.ts";
import type { SentinelOrder } from "./sentinel-order.ts";
import { DISMISSED, formatOrder } from "./sentinel-order.ts";

const DEFAULTS = {
  /** How long a sentinel may take to answer, its start included: a loaded machine starts Node in seconds. */
  answerMs: 5_000,
  /** Pause before a dead sentinel is replaced, and how often that is tried. */
  replaceMs: 200,
  replaceTries: 3,
};

/** State of a sentinel that has not answered yet. */
const SILENT = Number.NEGATIVE_INFINITY;

interface Sentinel {
  readonly child: ChildProcess;
  /** The deadline that it confirmed last. */
  knowsMs: number;
  isGone: boolean;
}

/** At most one living sentinel, for one run. */
export class PostedSentinel {
  readonly #argv: readonly [string, ...string[]];
  readonly #failed = new AbortController();
  #order: SentinelOrder | undefined;
  #sentinel: Sentinel | undefined;
  #isOver = false;
  #replacing: Promise<void> | undefined;

  constructor(argv: readonly [string, ...string[]]) {
    this.#argv = argv;
  }

  /** Aborts when no sentinel can be started: then no gateway may run. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** The sentinel's process id, for people; undefined between two of them. */
  get pid(): number | undefined {
    return this.#sentinel?.child.pid;
  }

  /** Starts a sentinel that waits for its first order, so that a new owner need not wait for its start. */
  prepare(): void {
    if (this.#sentinel === undefined || this.#sentinel.isGone) this.#sentinel = this.#start();
  }

  /**
   * On return a sentinel knows the order.
   *
   * @throws {LockkeeperError} LEASE_UNAVAILABLE when none can be started.
   */
  async post(order: SentinelOrder): Promise<void> {
    this.#order = order;
    const sentinel = this.#sentinel === undefined || this.#sentinel.isGone ? this.#start() : this.#sentinel;
    this.#sentinel = sentinel;
    this.#tell(sentinel);
    if (!(await this.#hasUnderstood(sentinel, order))) {
      sentinel.child.kill("SIGKILL");
      throw new LockkeeperError(
        "LEASE_UNAVAILABLE",
        "the sentinel, which ends the gateway when its keeper cannot, does not start",
        {
          evidence: [this.#argv.join(" ")],
          hint: "Look at the load and the memory of this host, then start it again.",
        },
      );
    }
  }

  /** Sends a changed order to the current sentinel. A sentinel that has not answered by the next change is replaced. */
  update(change: Partial<SentinelOrder>): void {
    if (this.#order === undefined || this.#isOver) return;
    const before = this.#order;
    this.#order = { ...before, ...change };
    const sentinel = this.#sentinel;
    if (sentinel === undefined || sentinel.isGone) return;
    // A sentinel that has not answered yet is still starting. When one is killed, we see its end and start the next.
    const isDeaf = sentinel.knowsMs !== SILENT && sentinel.knowsMs < before.endsAtMs;
    if (isDeaf && change.endsAtMs !== undefined) sentinel.child.kill("SIGKILL");
    else this.#tell(sentinel);
  }

  /**
   * Ends the sentinel's duty: no process of the run is left. With `alive`, one may be left, and the sentinel stays until it
   * has ended.
   */
  dismiss(alive = false): void {
    this.#isOver = true;
    const stdin = this.#sentinel?.child.stdin;
    if (!alive) stdin?.write(`${DISMISSED}\n`);
    stdin?.end();
    this.#sentinel?.child.unref();
  }

  #start(): Sentinel {
    const [file, ...args] = this.#argv;
    // A sentinel must not count as a process of any run.
    const { [RUN_VARIABLE]: _run, ...env } = process.env;
    const child = spawn(file, args, { cwd: "/", env, detached: true, stdio: ["pipe", "pipe", "ignore"] });
    const sentinel: Sentinel = { child, knowsMs: SILENT, isGone: false };
    const leave = (): void => {
      if (sentinel.isGone) return;
      sentinel.isGone = true;
      if (this.#isOver || this.#sentinel !== sentinel || this.#replacing !== undefined) return;
      this.#replacing = this.#replace().finally(() => {
        this.#replacing = undefined;
      });
    };
    child.once("exit", leave);
    child.once("error", leave);
    child.stdin?.on("error", () => undefined);
    let rest = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) sentinel.knowsMs = Math.max(sentinel.knowsMs, Number(line));
    });
    return sentinel;
  }

  async #replace(): Promise<void> {
    for (let left = DEFAULTS.replaceTries; !this.#isOver && this.#order !== undefined; left--) {
      await pause(DEFAULTS.replaceMs);
      try {
        if (!this.#isOver) await this.post(this.#order);
        return;
      } catch (error) {
        if (!(error instanceof LockkeeperError)) throw error;
        if (left > 1) continue;
        this.#failed.abort();
        return;
      }
    }
  }

  #tell({ child }: Sentinel): void {
    if (this.#order !== undefined) child.stdin?.write(formatOrder(this.#order));
  }

  async #hasUnderstood(sentinel: Sentinel, { endsAtMs }: SentinelOrder): Promise<boolean> {
    const until = performance.now() + DEFAULTS.answerMs;
    while (sentinel.knowsMs < endsAtMs) {
      if (sentinel.isGone || performance.now() >= until) return false;
      await pause(5);
    }
    return true;
  }
}
