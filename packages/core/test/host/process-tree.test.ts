import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";

import { afterEach, describe, expect, test } from "vitest";

import { identifyProcess } from "../../src/host/process-identity.ts";
import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { findRunProcesses } from "../../src/host/process-tree.ts";
import { readRunNonce } from "../../src/host/run-bond.ts";

const started: number[] = [];

afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
});

/** Starts a leader that starts one child for each script, and returns all pids, the leader's first. */
async function startTree(
  env: NodeJS.ProcessEnv,
  ...spawns: string[]
): Promise<{ leader: ChildProcess; pids: number[] }> {
  const program = `
    const { spawn } = require("node:child_process");
    const start = (options) => spawn(process.execPath, ["-e", "setInterval(() => undefined, 6e4)"], { stdio: "ignore", ...options }).pid;
    console.log([process.pid, ${spawns.map((options) => `start(${options})`).join(", ")}].join(" "));
    setInterval(() => undefined, 6e4);`;
  const leader = spawn(process.execPath, ["-e", program], {
    detached: true,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((resolve) =>
    leader.stdout.once("data", (data: Buffer) => resolve(String(data))),
  );
  const pids = line.trim().split(" ").map(Number);
  started.push(...pids);
  return { leader, pids };
}

function identify(pid: number | undefined): ProcessIdentity {
  const identity = identifyProcess(pid ?? 0);
  if (identity === undefined) throw new Error(`no process ${pid}`);
  return identity;
}

function pidsOf(members: readonly ProcessIdentity[]): readonly number[] {
  return members.map(({ pid }) => pid);
}

function sorted(pids: readonly number[]): readonly number[] {
  return [...pids].sort((a, b) => a - b);
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

describe("findRunProcesses", () => {
  const group = "{}";
  const left = "{ detached: true }";
  const leftBare = "{ detached: true, env: {} }";

  test("finds the group, children that left it, and children that cleared their environment, while the leader lives", async () => {
    const { pids } = await startTree({}, group, left, leftBare);
    const members = findRunProcesses({ leader: identify(pids[0]), nonce: "" });
    expect(pidsOf(members)).toEqual(sorted(pids));
    expect(members.filter(({ inGroup }) => inGroup).map(({ pid }) => pid)).toEqual(sorted(pids.slice(0, 2)));
  });

  test("finds by the nonce what the leader left behind, and nothing by its pid alone", async () => {
    const nonce = randomBytes(16).toString("hex");
    const { leader, pids } = await startTree({ LOCKKEEPER_RUN: nonce }, group, left, leftBare);
    const identity = identify(leader.pid);
    const before = findRunProcesses({ leader: identity, nonce });
    await kill(leader);
    expect(pidsOf(findRunProcesses({ leader: identity, nonce }))).toEqual(sorted(pids.slice(1, 3)));
    expect(findRunProcesses({ leader: identity, nonce: "" })).toEqual([]);
    expect(pidsOf(findRunProcesses({ leader: identity, nonce, known: before }))).toEqual(sorted(pids.slice(1)));
  });

  test("needs no leader where the nonce is known, and finds children of its carriers that cleared their environment", async () => {
    const nonce = randomBytes(16).toString("hex");
    const { pids } = await startTree({ LOCKKEEPER_RUN: nonce }, group, leftBare);
    expect(pidsOf(findRunProcesses({ leader: null, nonce }))).toEqual(sorted(pids));
    expect(readRunNonce(pids[1] ?? 0)).toBe(nonce);
  });

  test("does not claim another process with the leader's pid, nor its children", async () => {
    const { leader } = await startTree({}, group);
    const stranger = identify(leader.pid);
    const dead = { ...stranger, startTicks: (stranger.startTicks ?? 1) - 1 };
    expect(findRunProcesses({ leader: dead, nonce: "0".repeat(32) })).toEqual([]);
    expect(findRunProcesses({ leader: { ...stranger, bootId: "another" }, nonce: "0".repeat(32) })).toEqual([]);
  });

  test("finds a child that left in the same tick in which its leader began", async () => {
    const nonce = randomBytes(16).toString("hex");
    const { pids } = await startTree({ LOCKKEEPER_RUN: nonce });
    const member = identify(pids[0]);
    const leader = { ...member, pid: 4_194_304 };
    expect(pidsOf(findRunProcesses({ leader, nonce }))).toEqual(pids);
    const later = { ...leader, startTicks: (member.startTicks ?? 0) + 1 };
    expect(findRunProcesses({ leader: later, nonce })).toEqual([]);
  });

  test("treats a longer value as another run", async () => {
    const nonce = randomBytes(16).toString("hex");
    await startTree({ LOCKKEEPER_RUN: `${nonce}0`, OTHER: `LOCKKEEPER_RUN=${nonce}` });
    expect(findRunProcesses({ leader: null, nonce })).toEqual([]);
  });
});
