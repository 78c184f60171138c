import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { afterEach, describe, expect, test } from "vitest";

import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { identifyProcess, isPaused, judgeProcess, ownIdentity, sameProcess } from "../../src/host/process-identity.ts";
import { readProcStat } from "../../src/host/proc.ts";
import { signalGroup, signalProcess } from "../../src/host/process-signal.ts";
import { until } from "../../../../test/harness/until.ts";

const started = new Set<number>();

afterEach(() => {
  for (const pid of started) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
  started.clear();
});

/** Starts a sleeping process in a group of its own, and returns it once it runs. */
async function startSleeper(environment: Record<string, string> = {}): Promise<ReturnType<typeof spawn>> {
  const child = spawn("sleep", ["60"], { stdio: "ignore", detached: true, env: { ...process.env, ...environment } });
  await once(child, "spawn");
  if (child.pid !== undefined) started.add(child.pid);
  return child;
}

function identityOf(child: { readonly pid?: number | undefined }): ProcessIdentity {
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error("the child does not run");
  return identity;
}

describe.runIf(process.platform === "linux")("process identity", () => {
  test("holds the raw start ticks, the boot id and the pid namespace", () => {
    const own = ownIdentity();
    expect(own.pid).toBe(process.pid);
    expect(own.startTicks).toBeGreaterThan(0);
    expect(own.bootId).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    expect(own.pidNamespace).toMatch(/^\d+$/);
    expect(sameProcess(own, identityOf({ pid: process.pid }))).toBe(true);
    expect(judgeProcess(own)).toBe("alive");
  });

  test("is correct for a program whose name looks like the fields after it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lk-names-"));
    try {
      symlinkSync("/bin/sleep", join(folder, "a) R 1 (b) S"));
      const child = spawn(join(folder, "a) R 1 (b) S"), ["60"], { stdio: "ignore", detached: true });
      await once(child, "spawn");
      started.add(child.pid ?? 0);
      expect(readFileSync(`/proc/${child.pid}/stat`, "utf8")).toContain("(a) R 1 (b) S) ");
      expect(readProcStat(child.pid ?? 0)).toMatchObject({ parent: process.pid, group: child.pid, ended: false });
      expect(judgeProcess(identityOf(child))).toBe("alive");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("follows a process from life to death", async () => {
    const child = await startSleeper();
    const identity = identityOf(child);
    expect(judgeProcess(identity)).toBe("alive");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(judgeProcess(identity)).toBe("gone");
    expect(identifyProcess(identity.pid)).toBeUndefined();
  });

  test("treats a stopped process as alive", async () => {
    const child = await startSleeper();
    const identity = identityOf(child);
    process.kill(identity.pid, "SIGSTOP");
    expect(isPaused(process.pid)).toBe(false);
    await until("it is stopped", () => readFileSync(`/proc/${identity.pid}/stat`, "utf8").includes(") T "));
    expect(judgeProcess(identity)).toBe("alive");
    expect(isPaused(identity.pid)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isPaused(identity.pid)).toBe(false);
  });

  test("treats the same pid with other start ticks, or of another boot, as gone (openclaw/openclaw#74346)", () => {
    const own = ownIdentity();
    expect(judgeProcess({ ...own, startTicks: (own.startTicks ?? 0) + 1 })).toBe("gone");
    expect(judgeProcess({ ...own, bootId: "00000000-0000-0000-0000-000000000000" })).toBe("gone");
    expect(sameProcess(own, { ...own, bootId: null })).toBe(false);
    expect(sameProcess({ ...own, bootId: null }, { ...own, bootId: null })).toBe(false);
    expect(sameProcess(own, { ...own, pid: own.pid + 1 })).toBe(false);
    expect(sameProcess(own, { ...own, startTicks: 1 })).toBe(false);
    expect(sameProcess(own, { ...own, pidNamespace: "1" })).toBe(false);
    expect(sameProcess({ ...own, startTicks: null }, { ...own, startTicks: null })).toBe(false);
  });

  test("does not judge a pid of another namespace, nor an incomplete identity of a living pid", () => {
    const own = ownIdentity();
    expect(judgeProcess({ ...own, pidNamespace: "1" })).toBe("unknown");
    expect(judgeProcess({ ...own, pidNamespace: null })).toBe("unknown");
    expect(judgeProcess({ ...own, startTicks: null })).toBe("unknown");
    expect(judgeProcess({ ...own, bootId: null })).toBe("unknown");
  });

  test("does not treat a zombie as alive", async () => {
    // The shell's child ends; its parent, replaced by sleep, never waits for it.
    const parent = spawn("sh", ["-c", "sh -c 'echo $$' & exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    if (parent.pid !== undefined) started.add(parent.pid);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    await until("it is a zombie", () => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
    expect(identifyProcess(pid)).toBeUndefined();
    expect(judgeProcess({ ...ownIdentity(), pid })).toBe("gone");
  });

  test("does not treat a thread id as a process", async () => {
    const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
    await once(worker, "online");
    const threads = readdirSync("/proc/self/task").map(Number);
    const other = threads.find((id) => id !== process.pid);
    expect(other).toBeDefined();
    expect(readFileSync(`/proc/${other}/stat`, "utf8")).not.toBe("");
    expect(identifyProcess(other ?? 0)).toBeUndefined();
    expect(judgeProcess({ ...ownIdentity(), pid: other ?? 0 })).toBe("gone");
    await worker.terminate();
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 4_194_305])(
    "finds no process at pid %s",
    (pid) => {
      expect(identifyProcess(pid)).toBeUndefined();
      expect(judgeProcess({ ...ownIdentity(), pid })).toBe("gone");
    },
  );
});

describe.runIf(process.platform === "linux")("process signal", () => {
  test("reaches the process that the identity names, and says when it is gone", async () => {
    const child = await startSleeper();
    const identity = identityOf(child);
    expect(signalProcess(identity, "SIGTERM")).toBe("sent");
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGTERM");
    expect(signalProcess(identity, "SIGTERM")).toBe("gone");
  });

  test("spares another process that now has the recorded pid (openclaw/openclaw#29927)", async () => {
    const child = await startSleeper();
    const identity = identityOf(child);
    const reused = { ...identity, startTicks: (identity.startTicks ?? 0) - 1 };
    expect(signalProcess(reused, "SIGKILL")).toBe("gone");
    expect(signalGroup(reused, "SIGKILL", "nonce")).toBe("gone");
    expect(signalProcess({ ...identity, pidNamespace: "1" }, "SIGKILL")).toBe("refused");
    expect(signalProcess({ ...identity, startTicks: null }, "SIGKILL")).toBe("refused");
    expect(judgeProcess(identity)).toBe("alive");
  });

  test.each([1, 0, -1, Number.NaN, 1.5, process.pid, process.ppid])("never signals pid %s", (pid) => {
    const identity = identifyProcess(pid) ?? { ...ownIdentity(), pid };
    expect(signalProcess(identity, "SIGURG")).toBe("refused");
    expect(signalGroup(identity, "SIGURG")).toBe("refused");
  });

  test("signals a group through its verified leader, and after the leader's death through a member with the nonce", async () => {
    const leader = spawn("sh", ["-c", "sleep 60 & echo $!; sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
      env: { ...process.env, LOCKKEEPER_RUN: "0123456789abcdef" },
    });
    const [line] = (await once(leader.stdout, "data")) as [Buffer];
    const member = identityOf({ pid: Number(line.toString()) });
    started.add(member.pid);
    // While it becomes another program, it has no environment.
    await until("it is a sleep", () => readFileSync(`/proc/${member.pid}/cmdline`, "latin1").startsWith("sleep"));
    const identity = identityOf(leader);
    expect(signalGroup(identity, "SIGURG")).toBe("sent");
    leader.kill("SIGKILL");
    await once(leader, "exit");
    expect(signalGroup(identity, "SIGKILL")).toBe("gone");
    expect(signalGroup(identity, "SIGKILL", "another nonce")).toBe("gone");
    expect(judgeProcess(member)).toBe("alive");
    expect(signalGroup(identity, "SIGKILL", "0123456789abcdef")).toBe("sent");
    await until("the member is gone", () => judgeProcess(member) === "gone");
  });

  test("does not signal a group through a process that leads none", async () => {
    const leader = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    if (leader.pid !== undefined) started.add(leader.pid);
    const [line] = (await once(leader.stdout, "data")) as [Buffer];
    const member = identityOf({ pid: Number(line.toString()) });
    started.add(member.pid);
    expect(signalGroup(member, "SIGKILL")).toBe("refused");
    expect(judgeProcess(member)).toBe("alive");
  });
});
