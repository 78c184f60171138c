/** What happens to a running gateway: crashes, silence, successors, strangers on its port, the loss of its lock. */
import { execFileSync, spawn } from "node:child_process";
import { renameSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { identifyProcess, judgeProcess } from "../../src/host/process-identity.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { findRunProcesses } from "../../src/host/process-tree.ts";
import { lockPathFor } from "../../src/lock/gateway-lock.ts";
import { LockedFile, tryLockFile } from "../../src/lock/mechanism/locked-file.ts";
import type { RunRecord } from "../../src/keeper/run-record.ts";
import { readEarlierRun } from "../../src/keeper/run-publisher.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { isServing, KeeperScene, listenersOn } from "./kept-gateway.ts";

let scene: KeeperScene;
let port: number;

beforeEach(async () => {
  scene = new KeeperScene();
  port = await freePort();
});

afterEach(() => scene.end());

function signal({ gateway }: RunRecord, name: NodeJS.Signals): void {
  expect(gateway !== null && signalProcess(gateway, name)).toBe("sent");
}

const listeners = (): readonly number[] => listenersOn(port);

describe("a crash", () => {
  test("leads to a restart, and both are reported", async () => {
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    const first = await kept.until("running");
    signal(first, "SIGKILL");
    const second = await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
    expect(second.gateway?.pid).not.toBe(first.gateway?.pid);
    expect(second.lastExit).toMatchObject({ code: null, signal: "SIGKILL" });
    expect(kept.records.find(({ reason }) => reason?.startsWith("killed by SIGKILL"))).toMatchObject({ gateway: null });
    expect(listeners()).toEqual([second.gateway?.pid]);
  });

  test("also ends the gateway's leftover processes, before the restart", async () => {
    const kept = scene.keep(scene.spec("leaves-helper.js", [], { port }));
    expect(await kept.outcome).toMatchObject({ outcome: "failed" });
    const helpers = kept.readLog().match(/\d+/g) ?? [];
    expect(helpers).toHaveLength(5);
    expect(helpers.map((pid) => identifyProcess(Number(pid)))).toEqual(helpers.map(() => undefined));
  });

  test("while another process has taken the port ends in `blocked`", async () => {
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    const running = await kept.until("running");
    // The kill frees the port. The stranger tries every few milliseconds, in the process of the keeper, whose restart
    // delay is longer: however slow the machine is, the stranger is first.
    const stranger = createServer();
    stranger.on("error", () => setTimeout(() => stranger.listen(port, "127.0.0.1"), 5));
    stranger.listen(port, "127.0.0.1");
    signal(running, "SIGKILL");
    await until("the stranger has the port", () => stranger.listening);
    const outcome = await kept.outcome;
    stranger.close();
    expect(outcome).toMatchObject({
      outcome: "blocked",
      record: { state: "blocked", code: "PORT_IN_USE", gateway: null },
    });
    expect(outcome.detail).toContain(`another gateway instance is already listening on ws://127.0.0.1:${port}`);
    expect(outcome.detail).toContain(`pid ${process.pid}`);
  });
});

describe("a taken port", () => {
  // https://github.com/openclaw/openclaw/issues/28191: 43,175 restarts in one boot.
  test("costs no spawn, is `blocked`, and names the holder", async () => {
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve));
    const kept = scene.keep(scene.spec("exits.js", [1], { port }));
    const outcome = await kept.outcome;
    stranger.close();
    expect(outcome).toMatchObject({
      outcome: "blocked",
      record: { state: "blocked", code: "PORT_IN_USE", restarts: 0 },
    });
    expect(outcome.detail).toContain(`already listening on ws://127.0.0.1:${port}: pid ${process.pid} (`);
    expect(kept.readLog()).toBe("");
    expect(kept.records.map(({ state }) => state)).toEqual(["starting", "blocked"]);
  });

  test.each([
    ["on another address", { host: "127.0.0.2" }],
    ["for IPv6 alone", { host: "::", ipv6Only: true }],
  ])("%s does not matter", async (_, where) => {
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen({ ...where, port }, resolve));
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    await kept.until("running");
    await kept.stop();
    stranger.close();
  });

  test("that is lost while the gateway boots ends the gateway, and names the holder", async () => {
    const kept = scene.keep(scene.spec("never-listens.js", [], { port }));
    const { gateway } = await kept.until((record) => record.gateway !== null);
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve));
    expect(await kept.outcome).toMatchObject({ outcome: "blocked" });
    stranger.close();
    expect(gateway !== null && judgeProcess(gateway)).toBe("gone");
  });
});

describe("silence", () => {
  test("makes a gateway that was healthy `unresponsive`, never ends it, and is over with the next answer", async () => {
    const kept = scene.keep(scene.spec("goes-silent.js", [port], { port, livenessIntervalMs: 100 }));
    const running = await kept.until("running");
    signal(running, "SIGUSR2");
    const silent = await kept.until("unresponsive");
    expect(silent).toMatchObject({ gateway: running.gateway, health: "failing" });
    expect(silent.reason).toContain("no answer within 2000 ms");
    signal(running, "SIGUSR2");
    expect(await kept.until(({ reason }) => reason === "answers again")).toMatchObject({
      state: "running",
      gateway: running.gateway,
      restarts: 0,
    });
  });
});

describe("a check for any answer", () => {
  const health = { kind: "answer", scheme: "http" } as const;

  test("accepts a refusal as an answer, and treats later silence as a fault", async () => {
    const kept = scene.keep(scene.spec("goes-silent.js", [port], { port, health, livenessIntervalMs: 100 }));
    const running = await kept.until("running");
    expect(running.health).toBe("ok");
    signal(running, "SIGUSR2");
    expect((await kept.until("unresponsive")).reason).toContain("no answer to HEAD /: no answer within 2000 ms");
  });

  test("reports no fault for a server that never answers, while it listens", async () => {
    const kept = scene.keep(scene.spec("says-nothing.js", [port], { port, health, livenessIntervalMs: 50 }));
    await kept.until("running");
    // Three failures in a row would make it unresponsive.
    await until("it was asked often enough", () => kept.readLog().split("asked\n").length > 5);
    expect(kept.records.map(({ state }) => state)).not.toContain("unresponsive");
  });
});

describe("a successor", () => {
  // https://github.com/openclaw/openclaw/issues/65668: a gateway restarts itself with a fork, and two processes fight
  // for the port.
  test("that a gateway leaves on SIGUSR1 is adopted; a second one never starts", async () => {
    const kept = scene.keep(scene.spec("respawns.js", [port], { port }));
    const first = await kept.until("running");
    signal(first, "SIGUSR1");
    const adopted = await kept.until(({ reason }) => reason?.startsWith("handed over to a successor") === true);
    const running = await kept.until(
      ({ state, gateway }) => state === "running" && gateway?.pid === adopted.gateway?.pid,
    );
    expect(running.restarts).toBe(0);
    expect(listeners()).toEqual([running.gateway?.pid]);
    expect(findRunProcesses({ leader: null, nonce: running.nonce })).toHaveLength(1);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
    expect(running.gateway !== null && judgeProcess(running.gateway)).toBe("gone");
  });

  test("that a daemon forks at its start is adopted", async () => {
    const kept = scene.keep(scene.spec("forks-and-exits.js", [port], { port }));
    // The daemon may serve before the process that forked it has ended.
    const { gateway } = await kept.until(isServing);
    expect(listeners()).toEqual([gateway?.pid]);
  });

  test("that dropped group, parent and environment is recognized by the inherited lock, adopted and stopped", async () => {
    const kept = scene.keep(scene.spec("sheds-everything.js", [port], { port }));
    const { gateway, nonce } = await kept.until(isServing);
    expect(findRunProcesses({ leader: null, nonce })).toEqual([]);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
    expect(gateway !== null && judgeProcess(gateway)).toBe("gone");
  });

  test("that dropped everything may listen before the process that started it ends", async () => {
    const kept = scene.keep(scene.spec("sheds-everything.js", [port, "stays"], { port }));
    const first = await kept.until("running");
    expect(listeners()).not.toEqual([first.gateway?.pid]);
    signal(first, "SIGUSR1");
    const { gateway } = await kept.until(
      (record) => record.state === "running" && record.gateway?.pid !== first.gateway?.pid,
    );
    expect(listeners()).toEqual([gateway?.pid]);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
    expect(gateway !== null && judgeProcess(gateway)).toBe("gone");
  });

  test("that nothing but its ancestry shows is noted while that lives, for the case that all of it is killed", async () => {
    const spec = scene.spec("starts-unmarked.js", [port], { port, livenessIntervalMs: 20 });
    const kept = scene.keep(spec);
    const { gateway } = await kept.until("running");
    expect(listeners()).not.toEqual([gateway?.pid]);
    const noted = (): RunRecord["outside"] => readEarlierRun(spec.runRecordPath)?.outside;
    await until("its socket is in the record", () => noted() !== undefined);
    expect(noted()).toMatchObject([{ port }]);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
    expect(noted()).toBeUndefined();
    expect(listeners()).toEqual([]);
  });

  test("that was adopted and crashes is restarted like any other", async () => {
    const kept = scene.keep(scene.spec("respawns.js", [port], { port }));
    signal(await kept.until("running"), "SIGUSR1");
    const adopted = await kept.until(({ state, reason }) => state === "starting" && /handed over/.test(reason ?? ""));
    signal(
      await kept.until(({ state, gateway }) => state === "running" && gateway?.pid === adopted.gateway?.pid),
      "SIGKILL",
    );
    await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
    expect(listeners()).toHaveLength(1);
  });

  test("that never listens is ended and counts as a crash", async () => {
    const kept = scene.keep(scene.spec("forks-and-exits.js", [await freePort()], { port, startTimeoutMs: 300 }));
    await kept.until(({ reason }) => reason?.startsWith("exited with code 0; starting it again") === true);
    const { nonce } = kept.records[0] ?? {};
    expect(findRunProcesses({ leader: null, nonce: nonce ?? "" }).length).toBeLessThanOrEqual(1);
  });
});

describe("a lock that is lost", () => {
  test("ends the gateway, harms no process of the new owner, and publishes nothing more", async () => {
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    const { gateway } = await kept.until("running");
    const published = kept.records.length;
    const path = lockPathFor(kept.spec.lockDir, kept.spec.configPath);
    const usurper = tryLockFile(`${scene.home}/usurper`, { create: true });
    if (!(usurper instanceof LockedFile)) throw new Error("the usurper has no lock");
    // The new owner's own gateway holds that lock too, by the same path.
    const stranger = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", usurper.fd] });
    scene.alsoEnd(stranger.pid ?? 0);
    renameSync(usurper.path, path);
    expect(await kept.outcome).toMatchObject({ outcome: "failed", record: null });
    expect(kept.records).toHaveLength(published);
    expect(gateway !== null && judgeProcess(gateway)).toBe("gone");
    expect(identifyProcess(stranger.pid ?? 0)).toBeDefined();
    usurper.close();
  });
});

describe("a foreign file in the place of the log", () => {
  test.each([
    ["a symbolic link", (path: string): void => symlinkSync("/etc/hostname", path)],
    ["a FIFO", (path: string): void => void execFileSync("mkfifo", [path])],
  ])("is refused, untouched: %s", async (_, plant) => {
    const spec = scene.spec("healthy.js", [port], { port, logPath: `${scene.home}/planted.log` });
    plant(spec.logPath);
    const kept = scene.keep(spec);
    await expect(kept.outcome).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    expect(kept.records.at(-1)).toMatchObject({ state: "failed", code: "UNSAFE_PATH", gateway: null });
  });
});
