/** Real stops, and killed keepers. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { ProcessIdentity } from "../../src/host/process-identity.ts";
import { identifyProcess, judgeProcess } from "../../src/host/process-identity.ts";
import { findLockHolders } from "../../src/host/lock-holders.ts";
import { findRunProcesses } from "../../src/host/process-tree.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { inspectGatewayLock } from "../../src/lock/inspect.ts";
import { lockPathFor } from "../../src/lock/gateway-lock.ts";
import { parseRunRecord } from "../../src/keeper/run-record.ts";
import { stopProcessTree } from "../../src/keeper/stop-ladder.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { isServing, KeeperScene } from "./kept-gateway.ts";

let scene: KeeperScene;
let port: number;

beforeEach(async () => {
  scene = new KeeperScene();
  port = await freePort();
});

afterEach(() => scene.end());

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
}

describe("stop", () => {
  test("kills a tree that ignores signals, including a process that left the group", async () => {
    const kept = scene.keep(scene.spec("ignores-signals.js", [port], { port, stopTimeoutMs: 300 }));
    const { nonce } = await kept.until("running");
    const tree = findRunProcesses({ leader: null, nonce });
    expect(tree).toHaveLength(3);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped", detail: "killed" });
    expect(tree.map(judgeProcess)).toEqual(["gone", "gone", "gone"]);
    expect(kept.records.at(-1)?.lastExit).toMatchObject({ signal: "SIGKILL" });
  });

  test("is shortened by force", async () => {
    const kept = scene.keep(scene.spec("ignores-signals.js", [port], { port, stopTimeoutMs: 600_000 }));
    await kept.until("running");
    const stopped = kept.stop();
    await kept.until("stopping");
    kept.force();
    expect(await stopped).toMatchObject({ outcome: "stopped", detail: "killed" });
  });

  test("succeeds when the gateway dies in the middle of its own shutdown", async () => {
    const kept = scene.keep(scene.spec("dies-during-stop.js", [port], { port }));
    await kept.until("running");
    expect(await kept.stop()).toMatchObject({ outcome: "stopped", record: { lastExit: { signal: "SIGKILL" } } });
  });

  test("ends a helper that kept nothing but the lock's descriptor, and the next start has the lock", async () => {
    const spec = scene.spec("leaves-heir.js", [port], { port, lockTimeoutMs: 200 });
    const kept = scene.keep(spec);
    const { gateway, nonce } = await kept.until("running");
    const findHeirs = (): readonly ProcessIdentity[] => {
      const tree = [process.pid, ...findRunProcesses({ leader: gateway, nonce }).map(({ pid }) => pid)];
      return findLockHolders(lockPathFor(spec.lockDir, spec.configPath)).filter(({ pid }) => !tree.includes(pid));
    };
    // The control: neither group nor environment nor ancestry shows that it belongs to the run.
    await until("the helper has shed everything else", () => findHeirs().length === 1);
    const heirs = findHeirs();
    for (const { pid } of heirs) scene.alsoEnd(pid);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
    expect(heirs.map(judgeProcess)).toEqual(["gone"]);
    await scene.keep(spec).until("running");
  });

  test("reaches a paused gateway", async () => {
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    const { gateway } = await kept.until("running");
    expect(gateway !== null && signalProcess(gateway, "SIGSTOP")).toBe("sent");
    expect(await kept.stop()).toMatchObject({ outcome: "stopped", detail: "stopped on request" });
  });

  test("between two attempts of a crashing gateway prevents another start", async () => {
    const kept = scene.keep(scene.spec("exits.js", [1], { port }));
    await kept.until(({ restarts }) => restarts === 3);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
    expect(kept.readLog().split("\n").length).toBeLessThanOrEqual(5);
  });

  test("while waiting for the lock publishes nothing", async () => {
    const first = scene.keep(scene.spec("slow-start.js", [port], { port }));
    await first.until((record) => record.gateway !== null);
    const second = scene.keep({ ...first.spec, lockTimeoutMs: 600_000 });
    expect(await second.stop()).toMatchObject({ outcome: "stopped", record: null });
    expect(second.records).toEqual([]);
  });
});

describe("SIGKILL of the keeper", () => {
  test("leaves the gateway serving and the profile locked, until the orphan is stopped by its record", async () => {
    const spec = scene.spec("healthy.js", [port], { port, lockTimeoutMs: 200 });
    const { keeper, record } = await scene.keepElsewhere(spec);
    keeper.kill("SIGKILL");
    await exitOf(keeper);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).ok).toBe(true);
    expect((await inspectGatewayLock(spec)).verdict).toBe("held");
    await expect(scene.keep(spec).outcome).rejects.toMatchObject({ code: "LOCK_HELD", ownerPid: record.gateway?.pid });

    const { gateway: leader, nonce } = record;
    const order = { leader, nonce, host: spec.host, ports: [port], timeoutMs: 60_000 };
    expect(await stopProcessTree(order)).toMatchObject({ outcome: "stopped", killed: false, survivors: [] });
    expect(leader !== null && judgeProcess(leader)).toBe("gone");
    const next = scene.keep(spec);
    await next.until("running");
    expect(next.records[0]?.reason).toContain("reclaimed the lock");
  });

  test("together with the gateway leaves nothing that blocks the next start", async () => {
    const spec = scene.spec("healthy.js", [port], { port });
    const { keeper, record } = await scene.keepElsewhere(spec);
    keeper.kill("SIGKILL");
    const { gateway } = record;
    expect(gateway && signalProcess(gateway, "SIGKILL")).toBe("sent");
    await exitOf(keeper);
    await until("the gateway is gone", () => gateway !== null && judgeProcess(gateway) === "gone");
    const next = scene.keep(spec);
    await next.until("running");
    await next.stop();
    expect(existsSync(lockPathFor(spec.lockDir, spec.configPath))).toBe(false);
  });

  test("together with the leader, whose successor has dropped the lock, allows no second start and leaves the gateway stoppable", async () => {
    const spec = scene.spec("forks-and-exits.js", [port], { port });
    // The successor may serve before the process that forked it has ended.
    const { keeper, record } = await scene.keepElsewhere(spec, isServing);
    keeper.kill("SIGKILL");
    await exitOf(keeper);
    // The successor was adopted, so no descendant of the keeper holds the lock any more.
    const next = scene.keep(spec);
    await expect(next.outcome).rejects.toMatchObject({ code: "LOCK_HELD", ownerPid: record.gateway?.pid });
    const left = parseRunRecord(readFileSync(spec.runRecordPath, "utf8"));
    expect([left?.gateway, left?.nonce]).toEqual([record.gateway, record.nonce]);
    const order = {
      leader: left?.gateway ?? null,
      nonce: left?.nonce ?? "",
      host: spec.host,
      ports: [port],
      timeoutMs: 60_000,
    };
    expect(await stopProcessTree(order)).toMatchObject({ outcome: "stopped" });
    expect(record.gateway && identifyProcess(record.gateway.pid)).toBeUndefined();
  });
});

describe("stopProcessTree", () => {
  test("signals no process when the leader's pid has been reused", async () => {
    const stranger = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => undefined, 6e4)"], {
      detached: true,
    });
    scene.alsoEnd(stranger.pid ?? 0);
    await new Promise((resolve) => stranger.stdout.once("data", resolve));
    const identity = identifyProcess(stranger.pid ?? 0);
    if (identity?.startTicks == null) throw new Error("this host does not show start ticks");
    const leader = { ...identity, startTicks: identity.startTicks - 1 };
    const order = { leader, nonce: "0".repeat(32), host: "127.0.0.1", ports: [port], timeoutMs: 1_000 };
    expect(await stopProcessTree(order)).toMatchObject({ outcome: "stopped", killed: false });
    expect(judgeProcess(identity)).toBe("alive");
  });

  test("names a stranger that holds the port at the end, and leaves it alone", async () => {
    const kept = scene.keep(scene.spec("wrong-host.js", [port, "127.0.0.1"], { port }));
    const { gateway } = await kept.until("running");
    const order = { leader: null, nonce: "0".repeat(32), host: "127.0.0.1", ports: [port], timeoutMs: 1_000 };
    const result = await stopProcessTree(order);
    expect(result).toMatchObject({ outcome: "incomplete", survivors: [] });
    expect(result.detail).toContain(`127.0.0.1:${port} is held by pid ${gateway?.pid}`);
    expect(gateway !== null && judgeProcess(gateway)).toBe("alive");
  });
});
