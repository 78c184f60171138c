/**
 * Support for the keeper's tests: a keeper over a real gateway process, in a scratch home. Everything is ended
 * afterwards.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { expect } from "vitest";

import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { findRunProcesses } from "../../src/host/process-tree.ts";
import { findHolders, readListeners } from "../../src/host/sockets.ts";
import type { KeeperOutcome, KeeperSpec } from "../../src/keeper/keeper-spec.ts";
import { parseLogNote } from "../../src/keeper/log-note.ts";
import { runKeeper } from "../../src/keeper/run-keeper.ts";
import type { PublishedState, RunRecord } from "../../src/keeper/run-record.ts";

const PATIENCE_MS = 60_000;

export interface KeptGateway {
  readonly spec: KeeperSpec;
  readonly outcome: Promise<KeeperOutcome>;
  /** Everything published so far. */
  readonly records: readonly RunRecord[];
  /** Resolves with the first record, past or future, that satisfies `wanted`. */
  until(wanted: PublishedState | ((record: RunRecord) => boolean)): Promise<RunRecord>;
  stop(): Promise<KeeperOutcome>;
  force(): void;
  /** What the gateway printed, without the keeper's own lines. */
  readLog(): string;
}

export class KeeperScene {
  readonly home: string = mkdtempSync(join(tmpdir(), "lk-keeper-"));
  readonly #kept: KeptGateway[] = [];
  readonly #pids: number[] = [];

  /** Returns everything that a keeper needs, over the fixture program `program`. */
  spec(program: string, args: readonly (string | number)[], changes: Partial<KeeperSpec> = {}): KeeperSpec {
    const port = changes.port ?? 0;
    return {
      profile: "dev",
      lockDir: join(this.home, "lock"),
      configPath: join(this.home, "gateway.json"),
      host: "127.0.0.1",
      port,
      ports: { main: port },
      argv: [process.execPath, fixture(program), ...args.map(String)],
      cwd: this.home,
      env: { PATH: process.env["PATH"] ?? "" },
      health: { kind: "http", path: "/healthz", expect: "ok-body" },
      logPath: join(this.home, "logs", "gateway.log"),
      eventsPath: join(this.home, "logs", "events.jsonl"),
      runRecordPath: join(this.home, "run", "dev.json"),
      // As long as a test waits: no start of a busy machine is told to be late.
      startTimeoutMs: PATIENCE_MS,
      stopTimeoutMs: 20_000,
      lockTimeoutMs: 2_000,
      supervised: false,
      stop: new AbortController().signal,
      force: new AbortController().signal,
      startedBy: "a test",
      ...changes,
    };
  }

  /** Runs a keeper in this process. */
  keep(spec: KeeperSpec): KeptGateway {
    const stop = new AbortController();
    const force = new AbortController();
    const records: RunRecord[] = [];
    let changed: (() => void) | undefined;
    let failure: unknown;
    const report = (record: RunRecord): void => {
      records.push(record);
      changed?.();
    };
    const whole: KeeperSpec = { ...spec, stop: stop.signal, force: force.signal, report };
    const outcome = runKeeper(whole);
    outcome
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => changed?.());
    const kept: KeptGateway = {
      spec: whole,
      outcome,
      records,
      until: async (wanted) => {
        const fits = typeof wanted === "string" ? (record: RunRecord): boolean => record.state === wanted : wanted;
        const deadline = performance.now() + PATIENCE_MS;
        for (;;) {
          const found = records.find(fits);
          if (found !== undefined) return found;
          if (failure !== undefined) throw failure;
          if (performance.now() > deadline)
            throw new Error(`not so after ${PATIENCE_MS} ms: published; had ${JSON.stringify(records, null, 1)}`);
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, 500);
            changed = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
      },
      stop: async () => {
        stop.abort();
        return outcome;
      },
      force: () => force.abort(),
      readLog: () =>
        readFileSync(spec.logPath, "utf8")
          .split(/(?<=\n)/)
          .filter((line) => parseLogNote(line.trimEnd()) === undefined)
          .join(""),
    };
    this.#kept.push(kept);
    return kept;
  }

  /** Runs a keeper in a process of its own; returns once its gateway runs, with the first such record that fits `wanted`. */
  async keepElsewhere(
    spec: KeeperSpec,
    wanted: (record: RunRecord) => boolean = () => true,
  ): Promise<{ keeper: ChildProcess; record: RunRecord }> {
    const keeper = spawn(process.execPath, [fixture("keeper-program.js"), JSON.stringify(spec)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.alsoEnd(keeper.pid ?? 0);
    for await (const line of createInterface({ input: keeper.stdout })) {
      const record = JSON.parse(line) as RunRecord;
      if (record.state !== "running" || !wanted(record)) continue;
      this.alsoEnd(record.gateway?.pid ?? 0);
      return { keeper, record };
    }
    throw new Error("the keeper ended before its gateway ran");
  }

  /** Has `pid` killed at the end, whatever happens. */
  alsoEnd(pid: number): void {
    this.#pids.push(pid);
  }

  /** Ends everything; fails when a process of any run is left that a keeper should have ended. */
  async end(): Promise<void> {
    const left: ProcessIdentity[] = [];
    for (const kept of this.#kept) {
      kept.force();
      await kept.stop().catch(() => undefined);
      const nonce = kept.records[0]?.nonce;
      if (nonce !== undefined) left.push(...findRunProcesses({ leader: null, nonce }));
    }
    for (const identity of left) signalProcess(identity, "SIGKILL");
    for (const pid of this.#pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended already.
      }
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
    expect(left).toEqual([]);
  }
}

/** Returns the pids that listen on `port`. */
export function listenersOn(port: number): readonly number[] {
  const all = readListeners();
  if (all === "unknown") throw new Error("this host does not show its listeners");
  return [...findHolders(all.filter((listener) => listener.port === port)).values()].map(({ pid }) => pid);
}

/** Whether the gateway of `record` is the process that listens on its port, and not one that leaves it to another. */
export function isServing({ state, gateway, port }: RunRecord): boolean {
  return state === "running" && gateway?.pid === listenersOn(port)[0];
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}
