import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { acquireGatewayLock, inspectGatewayLock, lockPathFor } from "@lockkeeper/core";
import { judgeProcess, identifyProcess, ownIdentity, sweepGatewayLock } from "@lockkeeper/core/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Program } from "./programs.ts";
import { until } from "../harness/until.ts";
import { endPrograms, launch, ownPidNamespace, readProc, startProgram } from "./programs.ts";

let home: string;
let place: { lockDir: string; configPath: string };
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-exclusion-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
  path = lockPathFor(place.lockDir, place.configPath);
});

afterEach(async () => {
  await endPrograms();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

const startOwner = (options: object = {}, under: readonly string[] = []): Promise<Program> =>
  startProgram({ name: "owner.js", args: [JSON.stringify({ ...place, ...options })], under });

/** Acquires within the 2 s that a leftover may cost at most, and returns the reason of the takeover. */
async function takeOver(): Promise<string> {
  let reason = "";
  const lock = await acquireGatewayLock({ ...place, timeoutMs: 2_000, onReclaim: (text) => (reason = text) });
  await lock.release();
  expect(existsSync(path)).toBe(false);
  return reason;
}

/** Starts a keeper that shares its lock with a child. */
const startKeeper = async (options: object = {}): Promise<{ keeper: Program; childPid: number }> => {
  const keeper = await startProgram({ name: "keeper.js", args: [JSON.stringify({ ...place, ...options })] });
  return { keeper, childPid: Number(keeper.ready[2]) };
};

/** Leaves a record of an owner like us, with changes. */
const record = (changes: object): void => {
  const full = { v: 1, mechanism: "kernel", ...ownIdentity(), nonce: "0".repeat(32), configPath: "x", ...changes };
  writeFileSync(path, JSON.stringify(full), { mode: 0o600 });
};

describe("an owner", () => {
  test("is the only one of eight that start at once, and the others learn its pid", async () => {
    const starters = Array.from({ length: 8 }, () =>
      launch({ name: "owner.js", args: [JSON.stringify({ ...place, timeoutMs: 300 })] }),
    );
    const outcomes = await Promise.allSettled(starters.map((starter) => starter.line("ready")));
    const winners = outcomes.filter((outcome) => outcome.status === "fulfilled");
    expect(winners).toHaveLength(1);
    const pid = winners[0]?.value[1];
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      expect(String(outcome.reason)).toContain(`gateway already running (pid ${pid}); lock timeout after 300ms`);
    }
  });

  test("releases on request, and its file is gone", async () => {
    const owner = await startOwner();
    owner.child.stdin?.write("release\n");
    await owner.line("released");
    expect(existsSync(path)).toBe(false);
    expect(await takeOver()).toBe("");
  });

  test("that was SIGKILLed leaves nothing that blocks (openclaw/openclaw#144171)", async () => {
    const owner = await startOwner();
    owner.kill("SIGKILL");
    await owner.exited();
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
    expect(await takeOver()).toBe(`took over ${path}: its owner (pid ${owner.child.pid}) is gone`);
  });

  test("is followed by the waiting owner at once when it is SIGKILLed", async () => {
    const owner = await startOwner();
    const waiting = acquireGatewayLock(place);
    owner.kill("SIGKILL");
    await expect(waiting.then((own) => own.release())).resolves.toBeUndefined();
  });

  test("that is paused is not robbed, and still owns the lock after SIGCONT (badlogic/pi-mono#1322)", async () => {
    const owner = await startOwner();
    owner.kill("SIGSTOP");
    await expect(acquireGatewayLock({ ...place, timeoutMs: 300 })).rejects.toMatchObject({
      code: "LOCK_HELD",
      ownerPid: owner.child.pid,
    });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
    expect(await sweepGatewayLock(place)).toBe("held");
    owner.kill("SIGCONT");
    owner.child.stdin?.write("release\n");
    await owner.line("released");
  });

  test("that is alive but silent is waited for until the deadline and no longer (openclaw/openclaw#57115)", async () => {
    const owner = await startOwner({ profile: "dev" });
    const error: unknown = await acquireGatewayLock({ ...place, timeoutMs: 100 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      message: `gateway already running (pid ${owner.child.pid}); lock timeout after 100ms`,
    });
    expect(error).toHaveProperty("hint", expect.stringMatching(/profile dev has held .* for \d+ s.*stop pid \d+/));
  });
});

describe("a child that was given the descriptor", () => {
  test("keeps the lock when its keeper is SIGKILLed, is named, and releases it by its own end", async () => {
    const { keeper, childPid } = await startKeeper();
    keeper.kill("SIGKILL");
    await keeper.exited();
    await expect(acquireGatewayLock({ ...place, timeoutMs: 100 })).rejects.toMatchObject({
      code: "LOCK_HELD",
      message: `gateway already running (pid ${childPid}); lock timeout after 100ms`,
    });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held", reason: `pid ${childPid} holds it` });
    process.kill(childPid, "SIGKILL");
    await takeOver();
  });

  test("is found by its descriptor when no record names it", async () => {
    const { keeper, childPid } = await startKeeper({ named: false });
    keeper.kill("SIGKILL");
    await keeper.exited();
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
    expect(await sweepGatewayLock(place)).toBe("held");
    await expect(acquireGatewayLock({ ...place, timeoutMs: 100 })).rejects.toMatchObject({ ownerPid: childPid });
    process.kill(childPid, "SIGKILL");
    await takeOver();
  });

  test("stays the owner when its keeper releases in good order: the file stays with it", async () => {
    const { keeper, childPid } = await startKeeper();
    keeper.kill("SIGTERM");
    await keeper.exited();
    expect(existsSync(path)).toBe(true);
    await expect(acquireGatewayLock({ ...place, timeoutMs: 100 })).rejects.toMatchObject({ code: "LOCK_HELD" });
    process.kill(childPid, "SIGKILL");
    await takeOver();
  });
});

describe("a leftover record", () => {
  beforeEach(async () => {
    // Makes the directory as the lock itself does.
    await takeOver();
  });

  test("that names a living process of another boot is stale, and that process is left alone (openclaw/openclaw#29927)", async () => {
    const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
    const identity = identifyProcess(stranger.pid ?? 0);
    expect(identity).toBeDefined();
    record({ ...identity, bootId: "11111111-2222-3333-4444-555555555555" });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
    expect(await takeOver()).toContain("ran before the host was restarted");
    record({ ...identity, startTicks: 1 });
    expect(await takeOver()).toContain("its pid is another process now");
    expect(identity && judgeProcess(identity)).toBe("alive");
    stranger.kill("SIGKILL");
  });

  test("that names our own pid with other start ticks is stale at once (openclaw/openclaw#74346)", async () => {
    record({ startTicks: 7 });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
    expect(await takeOver()).toContain(`its owner (pid ${process.pid}) is gone`);
  });

  test.each([1, 0, -1, process.ppid])("that names pid %s signals nobody and blocks nobody", async (pid) => {
    record({ pid, startTicks: 3, gateway: { pid, startTicks: 3 } });
    expect((await inspectGatewayLock(place)).verdict).toBe("stale");
    await takeOver();
  });

  test("whose time is in the future, or long past, decides nothing (kunchenguid/firstmate#433)", async () => {
    const owner = await startOwner();
    const bytes = readFileSync(path, "utf8");
    writeFileSync(path, bytes.replace(/"createdAt":"\d{4}/, '"createdAt":"1971'));
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
    await expect(acquireGatewayLock({ ...place, timeoutMs: 50 })).rejects.toMatchObject({ ownerPid: owner.child.pid });
    record({ pid: 2 ** 22 + 1, startTicks: 5, createdAt: "2999-01-01T00:00:00.000Z" });
    owner.kill("SIGKILL");
    await owner.exited();
    await takeOver();
  });

  test("in another pid namespace leaves no doubt: the kernel decides", async () => {
    record({ pidNamespace: "1", startTicks: 5 });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
    expect(await takeOver()).toContain("is not visible from here, and nobody holds its lock");
  });

  test.each([
    ["empty (openclaw/openclaw#113748)", "", "the file is empty"],
    ["cut short", '{"v":1,"mechanism":"ker', "the file holds no record"],
    ["garbage", "\u0000\u0001\ufffd", "the file holds no record"],
    ["of a later version", '{"v":7,"owner":{"pid":1}}', "the file holds a record of version 7"],
    ["damaged", '{"v":1,"mechanism":"kernel","pid":"12"}', "the file holds a damaged record"],
  ])("that is %s is replaced, and the log says why", async (_kind, text, reason) => {
    writeFileSync(path, text, { mode: 0o600 });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale", record: null });
    expect(await takeOver()).toBe(`took over ${path}: ${reason}, and nobody holds its lock`);
  });
});

describe("a lock file that is deleted or replaced under its owner", () => {
  test.each([
    ["deleted", (): void => rmSync(path)],
    [
      "replaced",
      (): void => {
        writeFileSync(`${path}.new`, "", { mode: 0o600 });
        renameSync(`${path}.new`, path);
      },
    ],
  ])("and is %s admits no second owner, and is restored", async (_how, harm) => {
    const owner = await startOwner();
    harm();
    await expect(acquireGatewayLock({ ...place, timeoutMs: 50 })).rejects.toMatchObject({ code: "LOCK_HELD" });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
    await until("the record is there", () => readProc(path).includes(`"pid":${owner.child.pid},`));
    owner.child.stdin?.write("release\n");
    await owner.line("released");
    expect(existsSync(path)).toBe(false);
  });

  test("together with its directory is restored", async () => {
    const owner = await startOwner();
    rmSync(place.lockDir, { recursive: true });
    // It has the lock before it writes the record.
    await until("the record is there", () => readProc(path).includes(`"pid":${owner.child.pid},`));
    await expect(acquireGatewayLock({ ...place, timeoutMs: 50 })).rejects.toMatchObject({ ownerPid: owner.child.pid });
  });

  test("is lost to the process that took the place meanwhile, and the old owner learns of it", async () => {
    const owner = await startOwner();
    // Paused, it cannot put its file back before we come.
    await pause(owner);
    renameSync(place.lockDir, join(home, "moved away"));
    const lock = await acquireGatewayLock(place);
    owner.kill("SIGCONT");
    expect(await owner.line("lost")).toEqual(["lost", "LOCK_LOST"]);
    owner.child.stdin?.write("release\n");
    await owner.line("released");
    expect(existsSync(path)).toBe(true);
    expect(lock.lost.aborted).toBe(false);
    await lock.release();
  });
});

const apart = ownPidNamespace("--net");
if (apart === undefined) process.stdout.write("skipped: this machine makes no pid namespaces for us (unshare)\n");

describe.runIf(apart !== undefined)("two pid and network namespaces on one folder", () => {
  const shell = ["sh", "-c", '"$@"; exit $?', "sh"];

  test("have one owner between them", async () => {
    const owner = await startOwner({}, [...(apart ?? []), ...shell]);
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held" });
    await expect(acquireGatewayLock({ ...place, timeoutMs: 100 })).rejects.toMatchObject({ code: "LOCK_HELD" });
    const inside = launch({
      name: "owner.js",
      args: [JSON.stringify({ ...place, timeoutMs: 100 })],
      under: [...(apart ?? []), ...shell],
    });
    await expect(inside.line("ready")).rejects.toThrow("gateway already running (pid ");
    owner.child.stdin?.write("release\n");
    await owner.line("released");
  });

  test("recognize a dead owner that had the newcomer's own pid (openclaw/openclaw#112320)", async () => {
    // Each namespace counts from the start: both processes have the same pid, as in a restarted container.
    const under = [...(apart ?? []), ...shell];
    const first = await startOwner({}, under);
    first.kill("SIGKILL");
    await first.exited();
    await until("the lock is gone", () => !readProc("/proc/locks").includes(`:${inodeOf(path)} `));
    const second = await startOwner({}, under);
    expect(second.ready[1]).toBe(first.ready[1]);
    expect(second.ready.join(" ")).toContain("took over");
    second.child.stdin?.write("release\n");
    await second.line("released");
  });
});

async function pause({ child, kill }: Program): Promise<void> {
  kill("SIGSTOP");
  if (process.platform !== "linux") return;
  await until("it is paused", () => /^\d+ \(.*\) T /.test(readProc(`/proc/${child.pid}/stat`)));
}

function inodeOf(file: string): number {
  return statSync(file).ino;
}
