import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { acquireGatewayLock, lockPathFor, startGateway } from "@lockkeeper/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { endPrograms, launch } from "./programs.ts";
import { freePort } from "../harness/ports.ts";

const KILLER = pathToFileURL(fileURLToPath(new URL("../torture/programs/step-killer.js", import.meta.url))).href;
const MAX_STEPS = 100;
const LANES = 4;

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-crash-"));
});

afterEach(async () => {
  await endPrograms();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** Kills one process before its n-th step; returns the call at which it died, or undefined when it survived. */
async function dieAtStep(what: string, n: number, options: object): Promise<string | undefined> {
  const program = launch({
    name: "dies-at-step.js",
    args: [what, String(n), JSON.stringify(what === "gateway" ? { ...options, token } : options)],
    nodeArgs: ["--import", KILLER],
  });
  const said = await Promise.any([program.line("died"), program.line("survived")]);
  await program.exited();
  return said[2];
}

/**
 * Sweeps over all steps, several processes at a time, each lane in its own place; returns the calls at which they died.
 */
async function sweep(
  what: "lock" | "gateway",
  verify: (lane: Lane) => Promise<void>,
  prepare: (lane: Lane) => void = () => undefined,
): Promise<readonly string[]> {
  const calls: string[] = [];
  let next = 1;
  let isThrough = false;
  const lanes = Array.from({ length: LANES }, async (_, index) => {
    const lane = await openLane(index);
    while (!isThrough && next <= MAX_STEPS) {
      const n = next;
      next += 1;
      prepare(lane);
      const call = await dieAtStep(what, n, lane);
      if (call === undefined) isThrough = true;
      else calls.push(call);
      await verify(lane);
    }
  });
  await Promise.all(lanes);
  expect(isThrough).toBe(true);
  return calls;
}

interface Lane {
  readonly lockDir: string;
  readonly configPath: string;
  readonly host: string;
  readonly port: number;
}

const token = "t".repeat(43);

async function openLane(index: number): Promise<Lane> {
  const port = await freePort();
  const lockDir = join(home, `lock${index}`);
  return { lockDir, configPath: join(home, `${index}.json`), host: "127.0.0.1", port };
}

/** The next owner comes within the allowed 2 s, and leaves nothing behind. */
async function succeed(lane: Lane): Promise<void> {
  const lock = await acquireGatewayLock({ ...lane, timeoutMs: 2_000 });
  await lock.release();
  expect(readdirSync(lane.lockDir)).toEqual([]);
}

describe("a process that is SIGKILLed before any of its file-system steps", () => {
  test("of acquire and release never blocks the next owner", async () => {
    const calls = await sweep("lock", succeed);
    // Proof that the important steps were among them.
    const wanted = ["openSync", "fstatSync", "lstatSync", "readSync", "writeSync", "unlinkSync", "closeSync"];
    expect(calls).toEqual(expect.arrayContaining(wanted));
  });

  test("of reclaim never blocks the next owner", async () => {
    await sweep("lock", succeed, (lane) => {
      mkdirSync(lane.lockDir, { recursive: true, mode: 0o700 });
      writeFileSync(lockPathFor(lane.lockDir, lane.configPath), '{"v":1,"mechanism":"ker', { mode: 0o600 });
    });
  });

  test("of starting and closing a gateway never blocks the next gateway", async () => {
    await sweep("gateway", async (lane) => {
      const gateway = await startGateway({ ...lane, token, timeoutMs: 2_000 });
      await gateway.close();
      expect(readdirSync(lane.lockDir)).toEqual([]);
    });
  });
});
