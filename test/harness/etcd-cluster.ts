/** A real etcd for tests, of one or more members on the loopback, with its own data; ended and removed afterwards. */
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { freePort } from "./ports.ts";
import { until } from "./until.ts";

export interface EtcdOptions {
  /** @default 1 */
  readonly members?: number;
  /** How long a member waits for its leader before it calls an election, in milliseconds. @default etcd's own, 1000 */
  readonly electionMs?: number;
  /** PEM files; with `ca` a client must show a certificate that it signed. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

interface Member {
  readonly argv: readonly string[];
  readonly health: string;
  child: ChildProcess;
}

/**
 * Returns why there is no etcd here; undefined when there is. `it.skipIf` prints nothing, so the reason is printed here.
 */
export function whyNoEtcd(): string | undefined {
  if (spawnSync("etcd", ["--version"]).status === 0) return undefined;
  const reason = "skipped: there is no etcd here (apt-get install etcd-server)";
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** Starts a cluster and returns when all its members serve. */
export async function startEtcd({ members: count = 1, electionMs, tls }: EtcdOptions = {}): Promise<EtcdCluster> {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-etcd-"));
  const scheme = tls === undefined ? "http" : "https";
  const names = Array.from({ length: count }, (_, index) => `m${index}`);
  const planned: { name: string; peer: string; client: string; metrics: string }[] = [];
  for (const name of names) {
    planned.push({ name, peer: await freeUrl("http"), client: await freeUrl(scheme), metrics: await freeUrl("http") });
  }
  const initial = planned.map(({ name, peer }) => `${name}=${peer}`).join(",");
  const members = planned.map(({ name, peer, client, metrics }): Member => {
    const argv = ["--name", name, "--data-dir", path.join(folder, name), "--initial-cluster", initial];
    argv.push("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--listen-metrics-urls", metrics);
    argv.push("--listen-client-urls", client, "--advertise-client-urls", client);
    if (tls !== undefined) argv.push("--cert-file", tls.cert, "--key-file", tls.key);
    if (tls?.ca !== undefined) argv.push("--client-cert-auth", "--trusted-ca-file", tls.ca);
    if (electionMs !== undefined) {
      argv.push("--election-timeout", String(electionMs), "--heartbeat-interval", String(Math.ceil(electionMs / 5)));
    }
    return { argv, health: `${metrics}/health`, child: launch(argv) };
  });
  const cluster = new EtcdCluster(
    folder,
    planned.map(({ client }) => client),
    members,
  );
  try {
    await cluster.awaitHealth();
    return cluster;
  } catch (error) {
    await cluster.end();
    throw error;
  }
}

export class EtcdCluster {
  /** Client URLs, one for each member. */
  readonly endpoints: readonly string[];
  readonly #folder: string;
  readonly #members: readonly Member[];

  constructor(folder: string, endpoints: readonly string[], members: readonly Member[]) {
    this.#folder = folder;
    this.endpoints = endpoints;
    this.#members = members;
  }

  /** Returns once every member reports that it serves. */
  async awaitHealth(): Promise<void> {
    for (const { health, child } of this.#members) {
      await until(`etcd serves at ${health}`, async () => {
        if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}: ${child.spawnargs.join(" ")}`);
        const answer = await fetch(health, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
        return answer?.ok === true;
      });
    }
  }

  /** Returns the leading member; undefined during an election. */
  async findLeader(): Promise<number | undefined> {
    for (const [index, { health }] of this.#members.entries()) {
      const url = health.replace("/health", "/metrics");
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      if (/^etcd_server_is_leader 1$/m.test((await answer?.text()) ?? "")) return index;
    }
    return undefined;
  }

  signal(member: number, signal: NodeJS.Signals): void {
    this.#members[member]?.child.kill(signal);
  }

  /** Starts a killed member again, with its data. */
  async restart(index: number): Promise<void> {
    const member = this.#members[index];
    if (member === undefined) return;
    await ended(member.child);
    member.child = launch(member.argv);
  }

  /** Kills every member and removes the data. */
  async end(): Promise<void> {
    for (const { child } of this.#members) {
      child.kill("SIGKILL");
      await ended(child);
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function freeUrl(protocol: string): Promise<string> {
  return `${protocol}://127.0.0.1:${await freePort()}`;
}

function launch(argv: readonly string[]): ChildProcess {
  return spawn("etcd", argv, { stdio: "ignore" });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}
