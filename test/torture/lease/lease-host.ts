/** One host of a lease's torture: a keeper with its own home and its own way to etcd, and its published records. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { findRunProcesses } from "@lockkeeper/core/internal";

import type { Link } from "./link.ts";

/** Which program is the host's keeper. */
export type Design = "lockkeeper" | "self-stop" | "naive";

/** What all hosts of a torture share. */
export interface Scene {
  readonly design: Design;
  readonly key: string;
  readonly ttlSeconds: number;
  /** Where the gateways write. */
  readonly witness: string;
  readonly scratch: string;
  /** How long a gateway takes to stop; undefined: it ignores SIGTERM. */
  readonly drainMs: number | undefined;
}

interface Published {
  readonly state?: string;
  readonly nonce?: string;
  readonly gateway?: { readonly pid: number } | null;
  readonly reason?: string | null;
}

export class Host {
  readonly name: string;
  readonly link: Link;
  /** The keeper's last record. */
  published: Published = {};
  /** How often a gateway was ended because its lease was lost. */
  losses = 0;
  readonly #scene: Scene;
  readonly #nonces = new Set<string>();
  readonly #children: ChildProcess[] = [];
  #keeper: ChildProcess | undefined;

  constructor(name: string, scene: Scene, link: Link) {
    this.name = name;
    this.link = link;
    this.#scene = scene;
  }

  get keeperPid(): number {
    return this.#keeper?.pid ?? 0;
  }

  get gatewayPid(): number {
    return this.published.gateway?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.published.state === "running";
  }

  get hasKeeper(): boolean {
    return this.#keeper !== undefined && this.#keeper.exitCode === null && this.#keeper.signalCode === null;
  }

  /** The keeper's own child that is the sentinel; 0 when there is none. */
  get sentinelPid(): number {
    try {
      const children = readFileSync(`/proc/${this.keeperPid}/task/${this.keeperPid}/children`, "latin1");
      return Number(children.split(" ").find((pid) => pid.trim() !== "" && isSentinel(pid)) ?? 0);
    } catch {
      return 0;
    }
  }

  /** Starts a keeper, in the host's place. */
  start(): void {
    const program = this.#scene.design === "naive" ? "naive-keeper.js" : "keeper.js";
    const argv = [...this.link.prefix, process.execPath, programPath(program), JSON.stringify(this.#spec())];
    const [file = "", ...args] = argv;
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#keeper = child;
    this.#children.push(child);
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (this.#keeper !== child) return;
      this.published = JSON.parse(line) as Published;
      if (this.published.nonce !== undefined) this.#nonces.add(this.published.nonce);
      if (this.published.state === "stopping" && this.published.reason?.startsWith("the lease was lost"))
        this.losses += 1;
    });
  }

  /** Signals the keeper. */
  signal(signal: NodeJS.Signals): void {
    if (this.hasKeeper) this.#keeper?.kill(signal);
  }

  /** Returns once the keeper has ended. */
  async ended(): Promise<void> {
    const child = this.#keeper;
    if (child !== undefined && this.hasKeeper) await new Promise((resolve) => child.once("exit", resolve));
  }

  /** Kills whatever is left of this host. */
  async end(): Promise<void> {
    this.signal("SIGCONT");
    this.signal("SIGKILL");
    await this.ended();
    for (const nonce of this.#nonces) {
      for (const { pid } of findRunProcesses({ leader: null, nonce })) killQuietly(pid);
    }
    this.link.close();
  }

  #spec(): object {
    const { key, ttlSeconds, witness, scratch, drainMs, design } = this.#scene;
    const home = join(scratch, this.name);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const gateway = [process.execPath, programPath("gateway.js"), this.name, witness];
    return {
      profile: "torture",
      lockDir: join(home, "lock"),
      configPath: join(home, "gateway.json"),
      host: "127.0.0.1",
      port: 1,
      ports: { gateway: 1 },
      argv: drainMs === undefined ? gateway : [...gateway, String(drainMs)],
      cwd: home,
      env: {},
      health: { kind: "none" },
      logPath: join(home, "logs", "gateway.log"),
      eventsPath: join(home, "logs", "events.jsonl"),
      runRecordPath: join(home, "run", "torture.json"),
      startTimeoutMs: 30_000,
      stopTimeoutMs: 30_000,
      lockTimeoutMs: 20_000,
      supervised: false,
      startedBy: "a torture",
      lease: {
        settings: { engine: "etcd", endpoints: this.link.endpoints, key, ttlSeconds, standby: true },
        sentinelArgv: [process.execPath, programPath(design === "self-stop" ? "no-sentinel.js" : "sentinel.js")],
        tokenPath: join(home, "token"),
        whenHeld: "wait",
        whenUnavailable: "wait",
      },
    };
  }
}

function isSentinel(pid: string): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("sentinel.js");
}

/**
 * Whether a process handles SIGHUP by now, as a sentinel does right before it reads its orders. Node handles SIGTERM
 * from its own start on. Source: proc_pid_status(5).
 */
export function handlesHangup(pid: number): boolean {
  try {
    const [, caught = "0"] = /^SigCgt:\t(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals.SIGHUP - 1))) !== 0n;
  } catch {
    return false;
  }
}

/** Signals a process of ours that may have ended in this very moment. */
export function killQuietly(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** The programs stay where they are when this file is built to test/build/torture/lease. */
function programPath(name: string): string {
  const beside = fileURLToPath(new URL(`programs/${name}`, import.meta.url));
  return existsSync(beside)
    ? beside
    : fileURLToPath(new URL(`../../../torture/lease/programs/${name}`, import.meta.url));
}
