/** SIGKILL of the keeper before every single step of start and stop. Its leftovers never block the next start. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { findRunProcesses } from "../../src/host/process-tree.ts";
import type { KeeperSpec } from "../../src/keeper/keeper-spec.ts";
import { runKeeper } from "../../src/keeper/run-keeper.ts";
import type { RunRecord } from "../../src/keeper/run-record.ts";
import { parseRunRecord } from "../../src/keeper/run-record.ts";
import { stopProcessTree } from "../../src/keeper/stop-ladder.ts";
import { inspectGatewayLock } from "../../src/lock/inspect.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { KILL_AT_STEP } from "../../../../test/harness/kill-at-step.ts";
import { fixture, KeeperScene } from "./kept-gateway.ts";

/** Far above the number of steps: the sweep ends when one run survives. */
const MAX_STEPS = 500;

interface CrashPoint {
  /** Null: the run survived. */
  readonly killedBefore: string | null;
}

/** Runs a keeper until `running` and down again, killed before its n-th step. */
async function runWithKill(spec: KeeperSpec, step: number): Promise<CrashPoint> {
  const args = ["--require", KILL_AT_STEP, fixture("keeper-program.js"), JSON.stringify(spec)];
  const keeper = spawn(process.execPath, args, {
    env: { ...process.env, KILL_AT_STEP: String(step) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  keeper.stderr.on("data", (data: Buffer) => (said += String(data)));
  keeper.stdout.on("data", (data: Buffer) => {
    if (String(data).includes('"state":"running"')) keeper.kill("SIGTERM");
  });
  const signal = await new Promise((resolve) => keeper.once("close", (_, name) => resolve(name)));
  return { killedBefore: signal === "SIGKILL" ? said.trim() : null };
}

/** Returns the run that the lock file or the record still names. */
async function findLeftRun(spec: KeeperSpec): Promise<{ record: RunRecord | undefined; nonces: readonly string[] }> {
  const { record: lock } = await inspectGatewayLock(spec);
  let record: RunRecord | undefined;
  try {
    record = parseRunRecord(readFileSync(spec.runRecordPath, "utf8"));
  } catch {
    // It was killed before there was one.
  }
  return { record, nonces: [lock?.nonce, record?.nonce].filter((nonce) => nonce !== undefined) };
}

/** Starts and stops in this process; returns the duration of the start. */
async function startOnce(spec: KeeperSpec): Promise<number> {
  const stop = new AbortController();
  const startedAt = performance.now();
  let readyMs = Infinity;
  const report = ({ state }: RunRecord): void => {
    if (state !== "running") return;
    readyMs = performance.now() - startedAt;
    stop.abort();
  };
  const outcome = await runKeeper({ ...spec, stop: stop.signal, report });
  expect(outcome).toMatchObject({ outcome: "stopped" });
  return readyMs;
}

test("the next start succeeds, or finds the gateway alive under the lock and stops it by its record", async () => {
  const scene = new KeeperScene();
  const port = await freePort();
  const spec = scene.spec("healthy.js", [port], { port, lockTimeoutMs: 500 });
  const points: string[] = [];
  let slowestMs = 0;
  let orphans = 0;
  try {
    for (let step = 1; ; step += 1) {
      expect(step).toBeLessThan(MAX_STEPS);
      const { killedBefore } = await runWithKill(spec, step);
      if (killedBefore === null) break;
      points.push(killedBefore);
      const left = await findLeftRun(spec);
      const living = left.nonces.flatMap((nonce) => findRunProcesses({ leader: null, nonce }));
      if (living.length > 0) {
        orphans += 1;
        const refusal: unknown = await startOnce(spec).then(
          () => undefined,
          (error: unknown) => error,
        );
        // One that was asked to stop may have ended before the next keeper looked.
        if (refusal === undefined && left.record?.state === "stopping") continue;
        expect(refusal, killedBefore).toMatchObject({ code: "LOCK_HELD" });
        const [nonce = ""] = left.nonces;
        const order = { leader: null, nonce, host: spec.host, ports: [port], timeoutMs: 60_000 };
        expect(await stopProcessTree(order), killedBefore).toMatchObject({ outcome: "stopped" });
      }
      const readyMs = await startOnce(spec);
      slowestMs = Math.max(slowestMs, readyMs);
    }
    expect(points.length).toBeGreaterThan(20);
    expect(orphans).toBeGreaterThan(0);
    process.stdout.write(
      `crash points: ${points.length}, with a living gateway: ${orphans}, slowest next start: ${Math.round(slowestMs)} ms\n`,
    );
  } finally {
    await scene.end();
  }
  // Some two hundred processes, one after the other.
}, 1_200_000);
