/** Starts under a service manager must not fight a healthy gateway and must not retry forever. */
import { spawn } from "node:child_process";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { identifyProcess } from "../../src/host/process-identity.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { fixture, KeeperScene } from "./kept-gateway.ts";

let scene: KeeperScene;
let port: number;

beforeEach(async () => {
  scene = new KeeperScene();
  port = await freePort();
});

afterEach(() => scene.end());

/** Starts a process that no keeper manages, and returns it once it is ready. */
async function startStranger(program: string, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const child = spawn(process.execPath, [fixture(program), String(port)], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  scene.alsoEnd(child.pid ?? 0);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return child.pid ?? 0;
}

describe("a supervised start", () => {
  test("leaves the healthy gateway of the same profile in control, and names its owner", async () => {
    const spec = scene.spec("healthy.js", [port], { port, supervised: true });
    const first = scene.keep(spec);
    const { gateway } = await first.until("running");
    const outcome = await scene.keep(spec).outcome;
    expect(outcome).toMatchObject({ outcome: "left-in-control", record: null });
    expect(outcome.detail).toContain(`the gateway of dev on ws://127.0.0.1:${port}, pid ${gateway?.pid} (`);
    expect(first.records.at(-1)).toMatchObject({ state: "running", gateway });
  });

  test("leaves a healthy gateway that runs without a keeper in control", async () => {
    const pid = await startStranger("healthy.js");
    const kept = scene.keep(scene.spec("healthy.js", [port], { port, supervised: true }));
    const outcome = await kept.outcome;
    expect(outcome).toMatchObject({ outcome: "left-in-control", record: { state: "stopped", gateway: null } });
    expect(outcome.detail).toContain(`pid ${pid}`);
    expect(identifyProcess(pid)).toBeDefined();
  });

  test("conflicts at once with the gateway of another profile, healthy or not", async () => {
    await startStranger("healthy.js", { LOCKKEEPER_RUN: "f".repeat(32), LOCKKEEPER_PROFILE: "prod" });
    const kept = scene.keep(scene.spec("healthy.js", [port], { port, supervised: true }));
    const outcome = await kept.outcome;
    expect(outcome).toMatchObject({ outcome: "blocked", record: { code: "PORT_IN_USE" } });
    expect(outcome.detail).toContain("the gateway of profile prod: pid");
  });

  test("is blocked, after limited retries, by a process that is no gateway", async () => {
    await startStranger("not-a-gateway.js");
    const changes = { port, supervised: true, handoffTimeoutMs: 1_200 };
    const kept = scene.keep(scene.spec("healthy.js", [port], changes));
    expect(await kept.outcome).toMatchObject({ outcome: "blocked" });
    expect(kept.records.map(({ state }) => state)).toEqual(["starting", "blocked"]);
  });

  test("ends with the lock's own error when the owner never becomes healthy", async () => {
    const first = scene.keep(scene.spec("never-listens.js", [], { port }));
    await first.until((record) => record.gateway !== null);
    const changes = { port, supervised: true, handoffTimeoutMs: 1_200 };
    const second = scene.keep(scene.spec("healthy.js", [port], changes));
    await expect(second.outcome).rejects.toMatchObject({ code: "LOCK_HELD" });
    await expect(second.outcome).rejects.toThrow(/^gateway already running \(pid \d+\); lock timeout after \d+ms$/);
    expect(second.records).toEqual([]);
  });

  test("does not mistake a healthy stranger on the port for the owner that its lock names", async () => {
    await scene.keepElsewhere(scene.spec("never-listens.js", [], { port, health: { kind: "none" } }));
    await startStranger("healthy.js");
    const changes = { port, supervised: true, handoffTimeoutMs: 1_200 };
    await expect(scene.keep(scene.spec("healthy.js", [port], changes)).outcome).rejects.toMatchObject({
      code: "LOCK_HELD",
    });
  });

  test("starts like any other once the owner has ended", async () => {
    const spec = scene.spec("slow-start.js", [port], { port });
    const first = scene.keep(spec);
    await first.until((record) => record.gateway !== null);
    const second = scene.keep(scene.spec("healthy.js", [port], { port, supervised: true }));
    await first.stop();
    await second.until("running");
  });
});
