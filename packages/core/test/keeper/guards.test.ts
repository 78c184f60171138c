/** Gateways that run but do not work: those that take too much memory, and those that stop answering. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { signalProcess } from "../../src/host/process-signal.ts";
import { silenceAfter } from "../../src/keeper/hang-guard.ts";
import { readHistory } from "../../src/keeper/history.ts";
import { samplesAbove } from "../../src/keeper/memory-guard.ts";
import { decideGuardedRestart } from "../../src/keeper/restart-policy.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { KeeperScene } from "./kept-gateway.ts";

let scene: KeeperScene;
let port: number;

beforeEach(async () => {
  scene = new KeeperScene();
  port = await freePort();
});

afterEach(() => scene.end());

describe.skipIf(process.platform !== "linux")("a gateway that takes too much memory (Linux)", () => {
  const limits = { memoryRestartBytes: 100 * 2 ** 20, memoryIntervalMs: 10 };

  test("is restarted in order, three times in an hour, and then given up, each time with the figures", async () => {
    const kept = scene.keep(scene.spec("leaks.js", [port, 60], { port, ...limits }));
    const outcome = await kept.outcome;
    expect(outcome).toMatchObject({
      outcome: "failed",
      record: { state: "failed", code: "GATEWAY_UNHEALTHY", restarts: 3, gateway: null, lastExit: { code: 0 } },
    });
    expect(outcome.detail).toMatch(
      /^memory stays above the limit of 100 MiB: (\d{3}(, )?){3} MiB in 3 samples in a row; gave up after 3 such restarts in 60 minutes$/,
    );
    const told = readHistory(kept.spec.eventsPath).filter(({ reason }) => reason?.includes("stopped on request"));
    expect(told).toHaveLength(3);
    for (const { exit, reason } of told) {
      expect(exit).toMatchObject({ code: 0 });
      expect(reason).toMatch(/^memory stays above the limit of 100 MiB/);
    }
  });

  test("is left alone below the limit, though its processes share pages that count in each of them", async () => {
    const kept = scene.keep(scene.spec("leaks.js", [port, 1], { port, ...limits, memoryRestartBytes: 2 ** 40 }));
    await kept.until("running");
    expect(await kept.stop()).toMatchObject({ outcome: "stopped", record: { restarts: 0 } });
  });

  test("can be stopped by a person while it is being restarted", async () => {
    const kept = scene.keep(scene.spec("leaks.js", [port, 60], { port, ...limits }));
    await kept.until(({ reason }) => reason?.endsWith("restarting it") === true);
    expect(await kept.stop()).toMatchObject({ outcome: "stopped", record: { state: "stopped", restarts: 0 } });
  });
});

describe("a gateway that stops answering", () => {
  const patience = { livenessIntervalMs: 50, restartUnresponsiveMs: 5_000, stopTimeoutMs: 300 };

  test("is restarted, and gets its time to stop", async () => {
    const kept = scene.keep(scene.spec("hangs.js", [port, 2], { port, ...patience }));
    const first = await kept.until("running");
    const hung = await kept.until("unresponsive");
    const again = await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
    expect(again.gateway?.pid).not.toBe(first.gateway?.pid);
    expect(again.lastExit).toMatchObject({ signal: "SIGKILL" });
    expect(hung.gateway?.pid).toBe(first.gateway?.pid);
    const [asked] = readHistory(kept.spec.eventsPath).filter(({ reason }) => reason?.endsWith("restarting it"));
    expect(asked?.reason).toMatch(/^no good answer for \d+ s: health check \/healthz: /);
    kept.force();
  });

  test("is left alone while it starts, however long that takes, and also without the option", async () => {
    const kept = scene.keep(
      scene.spec("hangs.js", [port, 0], { port, ...patience, restartUnresponsiveMs: 1, startTimeoutMs: 500 }),
    );
    const late = await kept.until(({ reason }) => reason?.startsWith("not ready after") === true);
    expect(late).toMatchObject({ state: "starting", restarts: 0 });
    expect(kept.records.some(({ reason }) => reason?.includes("restarting it"))).toBe(false);
    kept.force();
  });

  test("is not restarted when it answers again in time", async () => {
    const kept = scene.keep(
      scene.spec("goes-silent.js", [port], { port, ...patience, restartUnresponsiveMs: 3_600_000 }),
    );
    const { gateway } = await kept.until("running");
    if (gateway !== null) signalProcess(gateway, "SIGUSR2");
    await kept.until("unresponsive");
    if (gateway !== null) signalProcess(gateway, "SIGUSR2");
    await kept.until(({ reason }) => reason === "answers again");
    expect(await kept.stop()).toMatchObject({ record: { restarts: 0 } });
  });
});

describe("the bounds", () => {
  test("allow at most three restarts in any hour, whatever happens when", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_600_000), { maxLength: 60 }), (pausesMs) => {
        const occasions: number[] = [];
        const restarts: number[] = [];
        let now = 0;
        for (const pauseMs of pausesMs) {
          now += pauseMs;
          occasions.push(now);
          if (decideGuardedRestart(occasions, now) === "give-up") break;
          restarts.push(now);
        }
        for (const time of restarts) {
          expect(restarts.filter((other) => other >= time && other - time < 3_600_000).length).toBeLessThanOrEqual(3);
        }
      }),
    );
  });

  test("count no time in which nothing checked, and none from before an answer", () => {
    const look = fc.record({
      health: fc.constantFrom("ok" as const, "failing" as const, "unknown" as const),
      sinceMs: fc.nat(10_000),
      lateMs: fc.oneof(fc.constant(0), fc.nat(100_000)),
    });
    fc.assert(
      fc.property(fc.array(look), (looks) => {
        const silent = looks.reduce(silenceAfter, 0);
        const held = looks.findLastIndex(({ health, lateMs }) => health === "ok" || lateMs > 5_000);
        const since = looks.slice(held + 1).filter(({ health }) => health === "failing");
        expect(silent).toBe(since.reduce((sum, { sinceMs }) => sum + sinceMs, 0));
      }),
    );
  });

  test("count only samples above the limit in a row", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(100), { nil: undefined })), fc.nat(100), (samples, limit) => {
        const above = samples.reduce<readonly number[]>((before, bytes) => samplesAbove(before, bytes, limit), []);
        const last = samples.findLastIndex((bytes) => bytes === undefined || bytes <= limit);
        expect(above).toEqual(samples.slice(last + 1));
      }),
    );
  });
});
