/**
 * Tortures a lease: two hosts, a real etcd of three members, and faults in a random order. After each fault it waits for
 * the next owner, repairs what it broke, and judges the writes. It knows nothing of the lease except what its gateways
 * write and what its keepers publish.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { identifyProcess } from "@lockkeeper/core/internal";
import type { EtcdCluster } from "../../harness/etcd-cluster.ts";
import { startEtcd } from "../../harness/etcd-cluster.ts";
import { seeded } from "../../harness/seeded.ts";
import type { Design, Scene } from "./lease-host.ts";
import { Host, killQuietly, handlesHangup } from "./lease-host.ts";
import type { Write } from "./lease-witness.ts";
import { judgeWrites } from "./lease-witness.ts";
import type { PartitionMeans } from "./link.ts";
import { Link } from "./link.ts";
import { WriteTail } from "./write-tail.ts";

/** What can happen to the owner, or to etcd. */
export const FAULTS = [
  "kill-keeper",
  "kill-sentinel-then-keeper",
  "kill-keeper-then-sentinel",
  "stop-keeper",
  "partition",
  "pause-host",
  "handover",
  "slow-link",
  "kill-leader",
  "lose-quorum",
] as const;
export type Fault = (typeof FAULTS)[number];

/** The options of a torture. */
export interface LeaseTortureOptions {
  readonly design: Design;
  readonly faults: readonly Fault[];
  /** How often each fault happens. */
  readonly rounds: number;
  /** The seed of the order and of the moments. */
  readonly seed: number;
  readonly ttlSeconds: number;
  readonly means: PartitionMeans;
  /** etcd's election timeout. @default etcd's own */
  readonly electionMs?: number;
  readonly onProgress?: (text: string) => void;
}

/** The result of one fault. Times in milliseconds since the fault; null where nobody took over or wrote. */
export interface Cycle {
  readonly fault: Fault;
  readonly overlapMs: number;
  readonly staleWrites: number;
  readonly acceptedStale: number;
  /** When the owner at the time of the fault wrote last, if it stopped writing. */
  readonly oldGoneMs: number | null;
  /** When the next owner wrote first. */
  readonly newMs: number | null;
  /** When the old owner wrote last after the repair, in milliseconds since the repair: a host that woke. */
  readonly lateMs: number | null;
}

/** What a fault breaks, when it is over, and how it is repaired. */
interface Doing {
  readonly break: () => Promise<void> | void;
  /** Who must own afterwards: another host, or any. */
  readonly owner: "another" | "anybody";
  /** How long it lasts at least, in multiples of the time to live. */
  readonly lasts: number;
  readonly mend: () => Promise<void> | void;
}

/** How often one fault may begin. */
const MOST_BEGINNINGS = 5;
/** Longer than any wait that a fault causes, on a busy machine. */
const PATIENCE_MS = 90_000;

/** Runs one torture and cleans up after it. */
export async function tortureLease(options: LeaseTortureOptions): Promise<readonly Cycle[]> {
  const run = new LeaseTorture(options);
  try {
    return await run.finish();
  } finally {
    await run.end();
  }
}

/** Several tortures may run in one process: every host has its own number. */
let hostCount = 0;

class LeaseTorture {
  readonly #options: LeaseTortureOptions;
  readonly #scratch = mkdtempSync(join(tmpdir(), "lk-lease-torture-"));
  readonly #random: () => number;
  #etcd: EtcdCluster | undefined;
  #hosts: Host[] = [];
  #tail: WriteTail | undefined;
  #key = 0;

  constructor(options: LeaseTortureOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  async finish(): Promise<readonly Cycle[]> {
    const { faults, rounds, electionMs, onProgress } = this.#options;
    this.#etcd = await startEtcd({ members: 3, ...(electionMs === undefined ? {} : { electionMs }) });
    const order = Array.from({ length: rounds }, () => faults).flat();
    shuffle(order, this.#random);
    const cycles: Cycle[] = [];
    for (const fault of order) {
      const cycle = await this.#sufferOnce(fault);
      cycles.push(cycle);
      onProgress?.(JSON.stringify(cycle));
    }
    return cycles;
  }

  async end(): Promise<void> {
    await this.#leave();
    await this.#etcd?.end();
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 5 });
  }

  /** On a busy machine an owner may lose its lease before anything has happened to it: then it begins anew. */
  async #sufferOnce(fault: Fault): Promise<Cycle> {
    for (let left = MOST_BEGINNINGS; left > 0; left--) {
      const cycle = await this.#suffer(fault);
      if (cycle !== undefined) return cycle;
    }
    throw new Error(`no owner keeps its lease until ${fault} happens to it`);
  }

  /**
   * Two fresh hosts for each fault: one fault's leftovers must not excuse the next. Undefined: the owner was another one
   * before the fault.
   */
  async #suffer(fault: Fault): Promise<Cycle | undefined> {
    const { design, ttlSeconds, means } = this.#options;
    this.#key += 1;
    const witness = join(this.#scratch, `writes-${this.#key}`);
    this.#tail = new WriteTail(witness);
    const scene: Scene = {
      design,
      key: `torture/${this.#key}`,
      ttlSeconds,
      witness,
      scratch: join(this.#scratch, String(this.#key)),
      drainMs: fault === "handover" ? 300 + this.#random() * 2_000 : undefined,
    };
    try {
      const [owner, other] = [await this.#settle("a", scene, means), await this.#settle("b", scene, means)];
      owner.start();
      await this.#until("there is an owner", () => owner.isRunning && this.#writes().length > 0);
      other.start();
      await this.#until("the other one stands by", () => other.published.state === "standby" || other.isRunning);
      if (other.isRunning) return undefined;
      // At any moment between two renewals.
      await delay(this.#random() * ttlSeconds * 400);
      return await this.#measure(fault, owner, this.#plan(fault, owner));
    } finally {
      await this.#leave();
    }
  }

  async #measure(fault: Fault, owner: Host, doing: Doing): Promise<Cycle> {
    const { ttlSeconds } = this.#options;
    const before = this.#writes().length;
    const atMs = nowMs();
    await doing.break();
    const someTime = delay(doing.lasts * ttlSeconds * 1_000);
    const newcomer = (): Write | undefined => {
      const writes = this.#writes();
      const [first] = writes;
      return writes
        .slice(before)
        .find(({ host, token, atMs: at }) => at > atMs && (host !== first?.host || token !== first.token));
    };
    if (doing.owner === "another") await this.#until("another one owns", () => newcomer() !== undefined);
    await someTime;
    const mendedAtMs = nowMs();
    await doing.mend();
    // An owner that was wrong has the time to show it.
    await delay(Math.min(1_500, ttlSeconds * 500));
    await this.#until("somebody writes", () => this.#isBusy());
    const writes = this.#writes();
    const { overlapMs, staleWrites, acceptedStale } = judgeWrites(writes);
    const first = newcomer();
    const oldLast = writes.findLast(({ host, token }) => host === owner.name && token === writes[0]?.token);
    return {
      fault,
      overlapMs: Math.round(overlapMs),
      staleWrites,
      acceptedStale,
      oldGoneMs: first === undefined || oldLast === undefined ? null : Math.round(oldLast.atMs - atMs),
      newMs: first === undefined ? null : Math.round(first.atMs - atMs),
      lateMs:
        first === undefined || oldLast === undefined || oldLast.atMs < mendedAtMs ? null : oldLast.atMs - mendedAtMs,
    };
  }

  #plan(fault: Fault, owner: Host): Doing {
    const etcd = this.#etcd;
    if (etcd === undefined) throw new Error("there is no etcd");
    const revive = async (): Promise<void> => {
      await owner.ended();
      owner.start();
    };
    const members = [0, 1, 2];
    switch (fault) {
      case "kill-keeper":
        return { owner: "another", lasts: 0, break: () => owner.signal("SIGKILL"), mend: revive };
      case "kill-sentinel-then-keeper":
        return {
          owner: "another",
          lasts: 0,
          break: async () => {
            const first = owner.sentinelPid;
            killQuietly(first);
            await this.#until("there is another sentinel", () => ![0, first].includes(owner.sentinelPid));
            await this.#until("it reads its orders", () => handlesHangup(owner.sentinelPid));
            // Its first order is there already.
            await delay(1_500);
            owner.signal("SIGKILL");
          },
          mend: revive,
        };
      case "kill-keeper-then-sentinel":
        return {
          owner: "another",
          lasts: 0,
          break: async () => {
            const sentinel = owner.sentinelPid;
            owner.signal("SIGKILL");
            await delay(250 + this.#random() * 250);
            killQuietly(sentinel);
          },
          mend: revive,
        };
      case "stop-keeper":
        return {
          owner: "another",
          lasts: 2,
          break: () => owner.signal("SIGSTOP"),
          mend: () => owner.signal("SIGCONT"),
        };
      case "partition":
        return { owner: "another", lasts: 2, break: () => owner.link.cut(), mend: () => owner.link.heal() };
      case "pause-host": {
        const gateway = owner.gatewayPid;
        const pids = [owner.keeperPid, owner.sentinelPid, gateway];
        return {
          owner: "another",
          lasts: 2,
          break: () => pids.forEach((pid) => killQuietly(pid, "SIGSTOP")),
          mend: async () => {
            for (const pid of pids) killQuietly(pid, "SIGCONT");
            await this.#until("its gateway is ended when it wakes", () => identifyProcess(gateway) === undefined);
          },
        };
      }
      case "handover":
        return { owner: "another", lasts: 0, break: () => owner.signal("SIGTERM"), mend: revive };
      case "slow-link":
        return {
          owner: "anybody",
          lasts: 2,
          break: () => this.#hosts.forEach(({ link }) => link.slow(20 + this.#random() * 80)),
          mend: () => this.#hosts.forEach(({ link }) => link.heal()),
        };
      case "kill-leader": {
        let leader = 0;
        return {
          owner: "anybody",
          lasts: 2,
          break: async () => {
            leader = (await etcd.findLeader()) ?? 0;
            etcd.signal(leader, "SIGKILL");
          },
          mend: async () => {
            await etcd.restart(leader);
            await etcd.awaitHealth();
          },
        };
      }
      case "lose-quorum": {
        const two = members.slice(Math.floor(this.#random() * 2)).slice(0, 2);
        return {
          owner: "anybody",
          lasts: 2,
          break: () => two.forEach((member) => etcd.signal(member, "SIGSTOP")),
          mend: () => two.forEach((member) => etcd.signal(member, "SIGCONT")),
        };
      }
    }
  }

  async #settle(name: string, scene: Scene, means: PartitionMeans): Promise<Host> {
    hostCount = (hostCount % 250) + 1;
    const link = new Link(hostCount, means);
    const host = new Host(name, scene, link);
    this.#hosts.push(host);
    await link.open(this.#etcd?.endpoints ?? []);
    return host;
  }

  async #leave(): Promise<void> {
    for (const host of this.#hosts.splice(0)) await host.end();
    this.#tail?.close();
    this.#tail = undefined;
  }

  /** Returns whether anybody has written within the last moments. */
  #isBusy(): boolean {
    const last = this.#writes().at(-1);
    return last !== undefined && nowMs() - last.atMs < 1_000;
  }

  #writes(): readonly Write[] {
    return this.#tail?.read() ?? [];
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!isSo()) {
      if (performance.now() > deadline) {
        const hosts = this.#hosts.map(({ name, published }) => `${name}: ${JSON.stringify(published)}`);
        throw new Error(`not so after ${PATIENCE_MS} ms: ${what}; ${hosts.join("; ")}`);
      }
      await delay(20);
    }
  }
}

/** The clock of the gateways' writes. */
function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

function shuffle<T>(items: T[], random: () => number): void {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
}
