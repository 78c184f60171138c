import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { judgeProcess } from "../../src/host/process-identity.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { readHistory } from "../../src/keeper/history.ts";
import { parseRunRecord } from "../../src/keeper/run-record.ts";
import { lockPathFor } from "../../src/lock/gateway-lock.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { KeeperScene } from "./kept-gateway.ts";

let scene: KeeperScene;
let port: number;

beforeEach(async () => {
  scene = new KeeperScene();
  port = await freePort();
});

afterEach(() => scene.end());

async function isListening(): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok ?? false;
}

describe("a gateway that behaves", () => {
  test("is locked, verified, published and stopped as a tree, and leaves nothing locked", async () => {
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    const { gateway, health, startedAt, keeper } = await kept.until("running");
    expect([health, keeper?.pid]).toEqual(["ok", process.pid]);
    expect(Date.parse(startedAt ?? "")).toBeLessThanOrEqual(Date.now());
    expect(parseRunRecord(readFileSync(kept.spec.runRecordPath, "utf8"))).toEqual(kept.records.at(-1));
    expect(gateway !== null && judgeProcess(gateway)).toBe("alive");
    const lockPath = lockPathFor(kept.spec.lockDir, kept.spec.configPath);
    expect(readFileSync(lockPath, "latin1")).toContain(`"gateway":{"pid":${gateway?.pid},`);

    expect(await kept.stop()).toMatchObject({ outcome: "stopped", record: { state: "stopped", gateway: null } });
    // What takes long on a busy machine is told in between.
    const steps = kept.records.filter(({ reason }) => reason?.startsWith("waiting for ") !== true);
    expect(steps.map(({ state }) => state)).toEqual(["starting", "starting", "running", "stopping", "stopped"]);
    expect(kept.records.at(-1)?.lastExit).toMatchObject({ code: 0, signal: null });
    expect(existsSync(lockPath)).toBe(false);
    expect(await isListening()).toBe(false);
  });

  test("gets exactly its argv, environment, directory and the lock as descriptor 3; its files are private", async () => {
    const env = { PATH: process.env["PATH"] ?? "", PLAIN: "a b $HOME `id`" };
    const kept = scene.keep(scene.spec("shows-start.js", [port, "a b; $(id)", "*"], { port, env }));
    const { nonce } = await kept.until("running");
    expect(JSON.parse(kept.readLog().split("\n")[0] ?? "")).toEqual({
      argv: [String(port), "a b; $(id)", "*"],
      env: { ...env, LOCKKEEPER_RUN: nonce },
      cwd: scene.home,
      lock: lockPathFor(kept.spec.lockDir, kept.spec.configPath),
    });
    const { logPath, eventsPath, runRecordPath } = kept.spec;
    for (const path of [logPath, eventsPath, runRecordPath]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(scene.home, "run")).mode & 0o777).toBe(0o700);
  });

  test("soon gets its record back after somebody removed it", async () => {
    const kept = scene.keep(scene.spec("healthy.js", [port], { port, livenessIntervalMs: 20 }));
    await kept.until("running");
    rmSync(kept.spec.runRecordPath);
    await until("the record is written again", () => existsSync(kept.spec.runRecordPath));
    expect(parseRunRecord(readFileSync(kept.spec.runRecordPath, "utf8"))).toEqual(kept.records.at(-1));
  });

  test("starts although a killed process keeps listening until its last moment", async () => {
    const last = createServer((socket) => {
      socket.destroy();
      // After the first look at the port, and long before the next one.
      setTimeout(() => last.close(), 10);
    });
    await new Promise<void>((resolve) => last.listen(port, "127.0.0.1", resolve));
    const kept = scene.keep(scene.spec("healthy.js", [port], { port }));
    await kept.until("running");
    expect(last.listening).toBe(false);
  });

  test("is not started twice: the second keeper gets the lock error and spawns nothing", async () => {
    const spec = scene.spec("healthy.js", [port], { port });
    const first = scene.keep(spec);
    const { gateway } = await first.until("running");
    const second = scene.keep(spec);
    await expect(second.outcome).rejects.toMatchObject({ code: "LOCK_HELD", ownerPid: gateway?.pid });
    expect(second.records).toEqual([]);
    expect(first.records.at(-1)).toMatchObject({ state: "running", gateway });
  });

  test("that is slow is `starting`, is never killed for that, and becomes ready", async () => {
    const kept = scene.keep(scene.spec("slow-start.js", [port], { port, startTimeoutMs: 100 }));
    await kept.until(({ state, reason }) => state === "starting" && reason?.includes("still starting") === true);
    await until("it takes the signal", () => kept.readLog().includes("waits"));
    const begun = kept.records.at(-1)?.gateway ?? null;
    expect(begun !== null && signalProcess(begun, "SIGUSR2")).toBe("sent");
    const { gateway } = await kept.until("running");
    expect(gateway?.pid).toBe(kept.records.find((record) => record.gateway !== null)?.gateway?.pid);
  });

  test("that is said to announce itself becomes ready also when it announces nothing", async () => {
    const program = `require("node:http").createServer((_, answer) => answer.end('{"ok":true}')).listen(${port}, "127.0.0.1")`;
    const spec = scene.spec("healthy.js", [], { port, announces: true });
    const kept = scene.keep({ ...spec, argv: [process.execPath, "-e", program] });
    expect(await kept.until("running")).toMatchObject({ health: "ok" });
    expect(kept.readLog()).toBe("");
  });

  test("may have no health check and no port at all", async () => {
    const kept = scene.keep(scene.spec("never-listens.js", [], { port, health: { kind: "none" } }));
    expect(await kept.until("running")).toMatchObject({ health: "unknown" });
  });

  test("may be judged by its listener alone", async () => {
    const kept = scene.keep(scene.spec("not-a-gateway.js", [port], { port, health: { kind: "tcp" } }));
    expect(await kept.until("running")).toMatchObject({ health: "ok" });
  });

  test("may close the descriptor of the lock: the keeper still holds the lock", async () => {
    const spec = scene.spec("closes-lock.js", [port], { port, lockTimeoutMs: 100 });
    const kept = scene.keep(spec);
    await kept.until("running");
    await expect(scene.keep(spec).outcome).rejects.toMatchObject({ code: "LOCK_HELD" });
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
  });
});

describe("a gateway that cannot run", () => {
  test.each([
    ["no-such-program-anywhere", "command not found: no-such-program-anywhere (PATH searched: /nowhere)"],
    ["/nowhere/gateway", "command not found: /nowhere/gateway"],
    ["/etc/passwd", "cannot run /etc/passwd: EACCES"],
  ])("is given up at once: %s", async (file, reason) => {
    const spec = scene.spec("healthy.js", [], { port, env: { PATH: "/nowhere" } });
    const kept = scene.keep({ ...spec, argv: [file] });
    expect(await kept.outcome).toMatchObject({
      outcome: "failed",
      record: { state: "failed", reason, code: "COMMAND_NOT_FOUND", restarts: 0 },
    });
  });

  test("is given up at once when its directory is missing", async () => {
    const cwd = join(scene.home, "absent");
    const kept = scene.keep(scene.spec("healthy.js", [port], { port, cwd }));
    expect((await kept.outcome).detail).toContain(`working directory is missing: ${cwd}`);
  });

  test("is restarted, five times in total, when it exits at once; then it is `failed`", async () => {
    const kept = scene.keep(scene.spec("exits.js", [3], { port }));
    expect(await kept.outcome).toMatchObject({
      outcome: "failed",
      record: { state: "failed", code: "GATEWAY_EXITED", restarts: 4, lastExit: { code: 3 } },
    });
    expect(kept.readLog()).toBe("ready, ending with 3\n".repeat(5));
    expect(kept.records.at(-1)?.reason).toBe("exited with code 3; gave up after 5 crashes in 5 minutes");
    expect(readHistory(kept.spec.eventsPath).filter(({ exit }) => exit?.code === 3)).toHaveLength(5);
  });

  test("is not restarted when it exits with 78, which means that a restart would not help", async () => {
    const kept = scene.keep(scene.spec("exits.js", [78], { port }));
    expect(await kept.outcome).toMatchObject({ outcome: "failed", record: { restarts: 0, lastExit: { code: 78 } } });
    expect(kept.readLog()).toBe("ready, ending with 78\n");
  });

  test("stays `starting` while it never opens its port, and can be stopped", async () => {
    const kept = scene.keep(scene.spec("never-listens.js", [], { port, startTimeoutMs: 100 }));
    const { reason } = await kept.until((record) => record.reason?.includes("not ready after 100 ms") === true);
    expect(reason).toContain(`nothing listens on 127.0.0.1:${port}`);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped" });
  });

  test("is not running when it answers like any web server", async () => {
    const kept = scene.keep(scene.spec("not-a-gateway.js", [port], { port, startTimeoutMs: 100 }));
    await kept.until(({ reason }) => reason?.endsWith("still starting: health check /healthz: HTTP 404") === true);
    expect(kept.records.filter(({ state }) => state === "running")).toEqual([]);
  });

  test("fails with the actual and the expected listener, and is ended", async () => {
    const other = await freePort();
    const kept = scene.keep(scene.spec("wrong-host.js", [other, "127.0.0.1"], { port, startTimeoutMs: 500 }));
    const reason = `listening on 127.0.0.1:${other}, expected 127.0.0.1:${port}`;
    expect(await kept.outcome).toMatchObject({
      outcome: "failed",
      record: { state: "failed", code: "LISTENER_MISMATCH", reason, gateway: null },
    });
    expect(kept.records.filter(({ state }) => state === "running")).toEqual([]);
  });

  test("runs, with a warning, when it listens on more than its own address", async () => {
    const kept = scene.keep(scene.spec("wrong-host.js", [port, "0.0.0.0"], { port }));
    expect(await kept.until("running")).toMatchObject({ reason: `listens on 0.0.0.0:${port}, wider than 127.0.0.1` });
  });
});
