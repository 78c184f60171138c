/**
 * How a gateway answers `/healthz` during a flood, and how much memory it takes: one line for each flood of
 * `test/floods/attacks.ts`, each against a gateway of its own. Asserts nothing. Run as a program with a port, it is that
 * gateway.
 */
import { probeHealth, startGatewayHost } from "@lockkeeper/core";
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { attacks } from "../floods/attacks.js";
import { freePort } from "../harness/ports.js";

const TOKEN = "bench-token-with-forty-three-characters-000";
const PROBES = 200;
const BETWEEN_MS = 15;
/** A flood that is not established by then is measured as it is. */
const STANDS_AFTER_MS = 15_000;
/** All of them run without a limit; these also run with a limit of open files. */
const FEW_FILES = [
  ["1,500 kept-alive connections that ask every second", "1024"],
  ["2,000 half-open connections", "256"],
] as const;
const self = fileURLToPath(import.meta.url);

/** Measures and prints; takes about two minutes. */
export async function run(): Promise<void> {
  process.stdout.write("| flood | /healthz p50, p99, max (ms) | failed | memory peak (MiB) | gateway |\n");
  process.stdout.write("| --- | --- | --- | --- | --- |\n");
  for (const name of Object.keys(attacks)) await measure(name, "unlimited");
  for (const [name, files] of FEW_FILES) await measure(name, files);
}

async function measure(attack: string, files: string): Promise<void> {
  const port = await freePort();
  const limit = files === "unlimited" ? "" : `ulimit -n ${files}; `;
  const server = spawn("sh", ["-c", `${limit}exec "$0" "$1" ${port}`, process.execPath, self], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(server.stdout, "data");
  const attacker = fork(
    fileURLToPath(new URL("../floods/attacks.js", import.meta.url)),
    [attack, String(port), TOKEN],
    {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    },
  );
  try {
    await Promise.race([once(attacker, "message"), pause(STANDS_AFTER_MS)]);
    const { latenciesMs, failed } = await probe(port);
    const at = (share: number): string =>
      latenciesMs.length === 0 ? "-" : (latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? 0).toFixed(1);
    const title = files === "unlimited" ? attack : `${attack}, ${files} open files`;
    const failures = [...failed].map(([how, times]) => `${times} of ${PROBES}: ${how}`).join("; ") || "none";
    const state =
      server.exitCode === null && server.signalCode === null
        ? "lives"
        : `EXITED ${server.exitCode ?? server.signalCode}`;
    process.stdout.write(
      `| ${title} | ${at(0.5)}, ${at(0.99)}, ${at(1)} | ${failures} | ${peakMiB(server) ?? "-"} | ${state} |\n`,
    );
  } finally {
    for (const child of [attacker, server]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}

async function probe(
  port: number,
): Promise<{ readonly latenciesMs: readonly number[]; readonly failed: ReadonlyMap<string, number> }> {
  const latenciesMs: number[] = [];
  const failed = new Map<string, number>();
  for (let index = 0; index < PROBES; index += 1) {
    const askedAt = performance.now();
    const { health, detail } = await probeHealth({ host: "127.0.0.1", port, timeoutMs: 1_000 });
    if (health === "ok") latenciesMs.push(performance.now() - askedAt);
    else failed.set(detail, (failed.get(detail) ?? 0) + 1);
    await pause(BETWEEN_MS);
  }
  return { latenciesMs: latenciesMs.sort((a, b) => a - b), failed };
}

/** The peak. Linux only. */
function peakMiB({ pid }: ChildProcess): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Math.round(Number(kib) / 1_024);
  } catch {
    return undefined;
  }
}

if (process.argv[1] === self && process.argv[2] !== undefined) {
  await startGatewayHost({ port: Number(process.argv[2]), token: TOKEN });
  process.stdout.write("listening\n");
}
