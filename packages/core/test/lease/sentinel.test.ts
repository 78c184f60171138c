import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, test } from "vitest";

import { until } from "../../../../test/harness/until.ts";
import { listProcessIds } from "../../src/host/proc.ts";
import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { identifyProcess, judgeProcess } from "../../src/host/process-identity.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { findRunProcesses } from "../../src/host/process-tree.ts";
import { bootTimeMs } from "../../src/lease/boot-clock.ts";
import { PostedSentinel } from "../../src/lease/posted-sentinel.ts";
import type { SentinelOrder } from "../../src/lease/sentinel-order.ts";
import { parseOrder } from "../../src/lease/sentinel-order.ts";

const PROGRAM = [process.execPath, fileURLToPath(new URL("fixtures/sentinel.js", import.meta.url))] as const;
/** Tells the sentinels of this file from those of others; the one that a sentinel starts gets its words. */
const MARK = `of-${process.pid}`;
/** Long enough for any machine; if a sentinel waited for it, the test's own timeout would show it. */
const LONG_MS = 600_000;

const children: ChildProcess[] = [];
const nonces: string[] = [];
const posted: PostedSentinel[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  // Helpers have left the group, and a sentinel does not have to end them.
  for (const nonce of nonces.splice(0)) {
    for (const identity of findRunProcesses({ leader: null, nonce })) signalProcess(identity, "SIGKILL");
  }
  for (const sentinel of posted.splice(0)) {
    const { pid } = sentinel;
    sentinel.dismiss();
    if (pid !== undefined && identifyProcess(pid) !== undefined) process.kill(pid, "SIGKILL");
  }
});

interface Gateway {
  readonly nonce: string;
  readonly leader: ProcessIdentity;
  readonly child: ChildProcess;
}

/** A gateway with a helper that has left its group; `script` decides how it reacts to SIGTERM. */
async function startGateway(onTerm: string): Promise<Gateway> {
  const nonce = randomBytes(16).toString("hex");
  nonces.push(nonce);
  const script = `trap '${onTerm}' TERM; setsid sh -c 'trap "${onTerm}" TERM; while :; do sleep 0.1; done' & while :; do sleep 0.1; done`;
  const child = spawn("sh", ["-c", script], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, LOCKKEEPER_RUN: nonce },
  });
  children.push(child);
  const leader = child.pid === undefined ? undefined : identifyProcess(child.pid);
  if (leader === undefined) throw new Error("the gateway did not start");
  await until("its helper runs", () => findRunProcesses({ leader, nonce }).some(({ inGroup }) => !inGroup));
  return { nonce, leader, child };
}

/** The sentinels of this test file, recognized by their mark. */
function listSentinels(): readonly number[] {
  return listProcessIds().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").endsWith(`${PROGRAM[1]}\0${MARK}\0`);
    } catch {
      return false;
    }
  });
}

function orderFor({ nonce, leader }: Gateway, endsAtMs: number): SentinelOrder {
  return { nonce, leader, endsAtMs, asked: false };
}

function isGone({ leader, nonce, child }: Gateway): boolean {
  return findRunProcesses({ leader, nonce }).length === 0 && hasEnded(child);
}

/** A sentinel as its keeper has one; `keeper.stdin` is the keeper's end of the pipe. */
function startSentinel(): ChildProcess {
  const child = spawn(PROGRAM[0], [PROGRAM[1], MARK], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  children.push(child);
  return child;
}

const say = (sentinel: ChildProcess, order: SentinelOrder): void => {
  sentinel.stdin?.write(`${JSON.stringify(order)}\n`);
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

describe("a sentinel", () => {
  test("kills the whole run at the deadline, and spares every other process", async () => {
    const [gateway, stranger] = [await startGateway(":"), await startGateway(":")];
    say(startSentinel(), orderFor(gateway, bootTimeMs() + 300));
    await until("the run is gone", () => isGone(gateway));
    expect(judgeProcess(stranger.leader)).toBe("alive");
    expect(gateway.child.signalCode).toBe("SIGKILL");
  });

  test("security 11: ends no process that an order names by mistake: a reused pid, pid 1, its own parent", async () => {
    const stranger = await startGateway(":");
    const self = identifyProcess(process.pid);
    const first = identifyProcess(1);
    const reused = { ...stranger.leader, startTicks: (stranger.leader.startTicks ?? 0) + 1 };
    for (const leader of [
      reused,
      self ?? null,
      first ?? null,
      { ...stranger.leader, pid: -1 },
      { ...reused, pid: 0 },
    ]) {
      const gateway = await startGateway(":");
      const sentinel = startSentinel();
      say(sentinel, { ...orderFor(gateway, bootTimeMs()), leader });
      sentinel.stdin?.end();
      // The control: a process that carries the nonce is ended.
      await until("the run is gone", () => isGone(gateway));
      await until("the sentinel has nothing to do", () => hasEnded(sentinel));
      expect(judgeProcess(stranger.leader)).toBe("alive");
    }
  });

  test("does nothing while the deadline moves, and ignores half a line", async () => {
    const gateway = await startGateway(":");
    const sentinel = startSentinel();
    let answers = "";
    sentinel.stdout?.on("data", (chunk) => (answers += String(chunk)));
    const start = bootTimeMs();
    for (let moved = 1; moved <= 20; moved++) {
      sentinel.stdin?.write('{"nonce":"half\n{}\nnull\n');
      say(sentinel, orderFor(gateway, start + LONG_MS + moved));
      await until("answered", () => answers.includes(`${start + LONG_MS + moved}\n`));
    }
    expect(isGone(gateway)).toBe(false);
  });

  test("asks the gateway to stop at once when its keeper has died, and then has nothing more to do", async () => {
    const gateway = await startGateway("exit 3");
    const sentinel = startSentinel();
    say(sentinel, orderFor(gateway, bootTimeMs() + LONG_MS));
    sentinel.stdin?.end();
    await until("the run is gone", () => isGone(gateway));
    expect(gateway.child.exitCode).toBe(3);
    await until("the sentinel is gone", () => hasEnded(sentinel));
  });

  test("kills at the deadline what did not stop after its keeper had died, and ends itself", async () => {
    const gateway = await startGateway(":");
    const sentinel = startSentinel();
    say(sentinel, orderFor(gateway, bootTimeMs() + 1_000));
    sentinel.stdin?.end();
    await until("the run is gone", () => isGone(gateway));
    expect(gateway.child.signalCode).toBe("SIGKILL");
    await until("the sentinel is gone", () => hasEnded(sentinel));
  });

  test("starts another sentinel when its keeper has died, which does the same when the first is killed", async () => {
    const gateway = await startGateway(":");
    const sentinel = startSentinel();
    let answers = "";
    sentinel.stdout?.on("data", (chunk) => (answers += String(chunk)));
    // Long enough for a process to start on a busy machine.
    const endsAtMs = bootTimeMs() + 8_000;
    say(sentinel, orderFor(gateway, endsAtMs));
    await until("answered", () => answers.includes(`${endsAtMs}\n`));
    sentinel.stdin?.end();
    const others = (): number => listSentinels().filter((pid) => pid !== sentinel.pid).length;
    await until("there is another one", () => others() > 0);
    sentinel.kill("SIGKILL");
    await until("the run is gone", () => isGone(gateway));
    await until("nobody is left", () => others() === 0);
  });

  test("does not ask a second time after its keeper has asked", async () => {
    const gateway = await startGateway("exit 3");
    const sentinel = startSentinel();
    say(sentinel, { ...orderFor(gateway, bootTimeMs() + 1_000), asked: true });
    sentinel.stdin?.end();
    await until("the run is gone", () => isGone(gateway));
    expect(gateway.child.signalCode).toBe("SIGKILL");
  });

  test("stays past the deadline while its keeper lives: a keeper that was paused during a start may start the gateway then", async () => {
    const gateway = await startGateway(":");
    const sentinel = startSentinel();
    say(sentinel, { ...orderFor(gateway, 0), nonce: "0".repeat(32), leader: null });
    say(sentinel, orderFor(gateway, 0));
    await until("the run is gone", () => isGone(gateway));
    const late = await startGateway(":");
    say(sentinel, { ...orderFor(late, 0), leader: null });
    await until("the late one is gone", () => isGone(late));
    expect(hasEnded(sentinel)).toBe(false);
    sentinel.stdin?.write("dismissed\n");
    await until("the sentinel is gone", () => hasEnded(sentinel));
  });

  test("survives the signals that end a terminal or a service", async () => {
    const gateway = await startGateway(":");
    const sentinel = startSentinel();
    let answers = "";
    sentinel.stdout?.on("data", (chunk) => (answers += String(chunk)));
    const endsAtMs = bootTimeMs() + LONG_MS;
    say(sentinel, orderFor(gateway, endsAtMs));
    await until("answered", () => answers.includes(`${endsAtMs}\n`));
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) sentinel.kill(signal);
    say(sentinel, orderFor(gateway, endsAtMs + 1));
    await until("answered again", () => answers.includes(`${endsAtMs + 1}\n`));
    expect(hasEnded(sentinel)).toBe(false);
  });
});

async function post(order: SentinelOrder): Promise<PostedSentinel> {
  const sentinel = new PostedSentinel([PROGRAM[0], PROGRAM[1]]);
  posted.push(sentinel);
  await sentinel.post(order);
  return sentinel;
}

describe("the keeper's side of a sentinel", () => {
  test("starts another one when the present one is killed, and passes the deadline on", async () => {
    const gateway = await startGateway(":");
    const sentinel = await post(orderFor(gateway, bootTimeMs() + LONG_MS));
    const first = sentinel.pid ?? 0;
    process.kill(first, "SIGKILL");
    await until("another one", () => sentinel.pid !== undefined && sentinel.pid !== first);
    sentinel.update({ endsAtMs: bootTimeMs() + 200 });
    await until("the run is gone", () => isGone(gateway));
    expect(sentinel.failed.aborted).toBe(false);
  });

  test("replaces one that no longer answers", async () => {
    const gateway = await startGateway(":");
    const start = bootTimeMs() + LONG_MS;
    const sentinel = await post(orderFor(gateway, start));
    const first = sentinel.pid ?? 0;
    process.kill(first, "SIGSTOP");
    sentinel.update({ endsAtMs: start + 1 });
    sentinel.update({ endsAtMs: start + 2 });
    await until("another one", () => sentinel.pid !== undefined && sentinel.pid !== first);
    expect(identifyProcess(first)).toBeUndefined();
  });

  test("fails when there is no program to start, and lets nothing run", async () => {
    const sentinel = new PostedSentinel(["/nonexistent/sentinel"]);
    const order = { nonce: "n", leader: null, endsAtMs: bootTimeMs() + LONG_MS, asked: false };
    await expect(sentinel.post(order)).rejects.toMatchObject({ code: "LEASE_UNAVAILABLE" });
  });

  test("sends it away when nothing is left, and keeps it when something may be", async () => {
    const gateway = await startGateway(":");
    const sentinel = await post(orderFor(gateway, bootTimeMs() + 1_500));
    const pid = sentinel.pid ?? 0;
    sentinel.dismiss(true);
    await until("the run is gone", () => isGone(gateway));
    await until("the sentinel is gone", () => identifyProcess(pid) === undefined);
    const other = await startGateway(":");
    const second = await post(orderFor(other, bootTimeMs() + LONG_MS));
    const secondPid = second.pid ?? 0;
    second.dismiss();
    await until("the sentinel is gone", () => identifyProcess(secondPid) === undefined);
    expect(isGone(other)).toBe(false);
  });
});

describe("an order", () => {
  test("that is not complete is ignored", () => {
    for (const line of ["", "{", "null", "3", '{"nonce":"a"}', '{"endsAtMs":"3","nonce":"a"}']) {
      expect(parseOrder(line)).toBeUndefined();
    }
  });
});
