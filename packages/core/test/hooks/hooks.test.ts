/** What hooks receive from a real run. The receivers are healthy, slow, down or hostile. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { identifyProcess, judgeProcess } from "../../src/host/process-identity.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { HookCaller } from "../../src/hooks/hook-caller.ts";
import type { HookEvent, HookMessage, HookSubject } from "../../src/hooks/hook-news.ts";
import { downTimeMs, hookEventBetween, hookMessage } from "../../src/hooks/hook-news.ts";
import { waitBeforeTelling } from "../../src/hooks/hook-pace.ts";
import type { HookTarget } from "../../src/hooks/hook-target.ts";
import { shownTarget } from "../../src/hooks/hook-target.ts";
import { tellHook } from "../../src/hooks/tell-hook.ts";
import { readHistory } from "../../src/keeper/history.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { KeeperScene } from "../keeper/kept-gateway.ts";
import type { Receiver } from "./receiver.ts";
import { receiver } from "./receiver.ts";

let scene: KeeperScene;
let port: number;
const receivers: Receiver[] = [];
const env = { PATH: process.env["PATH"] ?? "", LOCKKEEPER_PROFILE: "dev" };

beforeEach(async () => {
  scene = new KeeperScene();
  port = await freePort();
});

afterEach(async () => {
  await scene.end();
  for (const each of receivers.splice(0)) await each.close();
});

async function listening(...answer: Parameters<typeof receiver>): Promise<Receiver> {
  const each = await receiver(...answer);
  receivers.push(each);
  return each;
}

function url({ url: address }: Receiver): HookTarget {
  return { kind: "url", url: address, shown: shownTarget(address) };
}

/** Creates a hook that takes notes; returns its path and the notes so far. */
function noteTaker(): {
  readonly path: string;
  readonly notes: () => (HookMessage & { env: Record<string, string> })[];
} {
  const folder = join(scene.home, "hook");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "takes-notes.mjs");
  copyFileSync(new URL("fixtures/takes-notes.js", import.meta.url), path);
  chmodSync(path, 0o700);
  const file = join(folder, "notes.jsonl");
  // A file that was just made may have no line yet.
  const lines = (): string[] => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []);
  return {
    path,
    notes: () => lines().map((line) => JSON.parse(line) as HookMessage & { env: Record<string, string> }),
  };
}

function script(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "lk-hook-")), "hook");
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return path;
}

const message = hookMessage("failed", { profile: "dev", home: null, host: "here" }, undefined, {
  state: "failed",
  reason: "a test",
  since: "2026-01-01T00:00:00.000Z",
  restarts: 0,
  lastExit: null,
});
const never = new AbortController().signal;

describe("a run with hooks", () => {
  test("tells a URL when it is ready, silent, healthy again and stopped, and how long it was down", async () => {
    const all = await listening();
    const events: readonly HookEvent[] = ["ready", "unresponsive", "recovered", "stopped", "failed"];
    const targets = Object.fromEntries(events.map((event) => [event, url(all)]));
    const spec = scene.spec("goes-silent.js", [port], { port, livenessIntervalMs: 50, hooks: { targets, env } });
    const kept = scene.keep(spec);
    const { gateway } = await kept.until("running");
    const poke = (): unknown => gateway !== null && signalProcess(gateway, "SIGUSR2");
    await until("the start was told", () => all.received.length === 1);
    poke();
    await kept.until("unresponsive");
    // An outage that is over before it was told is not told.
    await until("the outage was told", () => all.received.length === 2);
    poke();
    await kept.until(({ reason }) => reason === "answers again");
    await until("the recovery was told", () => all.received.length === 3);
    const outcome = await kept.stop();
    await outcome.told;
    expect(all.received.map(({ event }) => event)).toEqual(["ready", "unresponsive", "recovered", "stopped"]);
    const [ready, , recovered, stopped] = all.received;
    expect(ready).toMatchObject({ v: 1, profile: "dev", state: "running", downMs: null, exit: null, restarts: 0 });
    expect(recovered?.downMs).toBeGreaterThan(0);
    expect(stopped).toMatchObject({ state: "stopped", exit: { code: 0, signal: null } });
    const reasons = readHistory(spec.eventsPath).map(({ reason }) => reason ?? "");
    for (const { event } of all.received) {
      expect(reasons.filter((reason) => reason.startsWith(`hook ${event} told http://127.0.0.1:`))).toHaveLength(1);
    }
    // The receiver's URL is stored nowhere.
    for (const file of [spec.eventsPath, spec.runRecordPath])
      expect(readFileSync(file, "utf8")).not.toContain("canary");
  });

  test("runs a program without a shell, with its given environment, and reports an outage from before this keeper", async () => {
    const hook = noteTaker();
    const target: HookTarget = { kind: "program", path: hook.path };
    const hooks = { targets: { failed: target, recovered: target, ready: target }, env };
    const first = scene.keep(scene.spec("exits.js", [78], { port, hooks }));
    await (
      await first.outcome
    ).told;
    const second = scene.keep(scene.spec("healthy.js", [port], { port, hooks }));
    await second.until("running");
    await until("the recovery was told", () => hook.notes().length === 2);
    await (
      await second.stop()
    ).told;
    const [failed, recovered] = hook.notes();
    expect(failed).toMatchObject({ event: "failed", exit: { code: 78, signal: null } });
    expect(recovered).toMatchObject({ event: "recovered", state: "running" });
    expect(recovered?.downMs).toBeGreaterThan(0);
    expect(Object.keys(failed?.env ?? {}).filter((name) => !["PATH", "PWD", "SHLVL", "_"].includes(name))).toEqual([
      "LOCKKEEPER_PROFILE",
    ]);
  });

  test("waits for no hook: not to run, not to restart after a crash, and not to end", async () => {
    const silent = await listening(() => undefined);
    const targets = Object.fromEntries((["ready", "stopped"] as const).map((event) => [event, url(silent)]));
    const kept = scene.keep(scene.spec("healthy.js", [port], { port, hooks: { targets, env } }));
    const first = await kept.until("running");
    if (first.gateway !== null) signalProcess(first.gateway, "SIGKILL");
    await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
    const outcome = await kept.stop();
    expect(outcome).toMatchObject({ outcome: "stopped" });
    // The lock is free while the receiver is still silent.
    const next = scene.keep(scene.spec("healthy.js", [port], { port }));
    await next.until("running");
    kept.force();
    await outcome.told;
    await until("the end was told or given up", () =>
      readHistory(kept.spec.eventsPath).some(
        ({ reason }) => reason?.startsWith("hook stopped could not tell") === true,
      ),
    );
  });

  test("with an unusable address says in the history what is wrong with it, and runs", async () => {
    const target: HookTarget = { kind: "unusable", shown: "env:HOOK", fault: "the env file has no such variable" };
    const kept = scene.keep(scene.spec("healthy.js", [port], { port, hooks: { targets: { ready: target }, env } }));
    await kept.until("running");
    await (
      await kept.stop()
    ).told;
    expect(readHistory(kept.spec.eventsPath).map(({ reason }) => reason)).toContain(
      "hook ready could not tell env:HOOK: the env file has no such variable",
    );
  });
});

describe("a gateway that flaps", () => {
  test("is reported once, however often it flaps; an outage that ended before its report is not reported", async () => {
    const all = await listening();
    const events: readonly HookEvent[] = ["ready", "unresponsive", "recovered", "failed"];
    const force = new AbortController();
    const remarks: string[] = [];
    const caller = new HookCaller({
      targets: Object.fromEntries(events.map((event) => [event, url(all)])),
      env,
      profile: "dev",
      home: null,
      remark: (fact) => remarks.push(fact),
      force: force.signal,
    });
    const since = "2026-01-01T00:00:00.000Z";
    const subject = { reason: null, since, restarts: 0, lastExit: null };
    const report = (state: string, downSince: string | null = null): void =>
      caller.report({ ...subject, state, downSince });
    report("starting");
    report("running");
    await until("it was told to be ready", () => all.received.length === 1);
    report("unresponsive", since);
    await until("it was told to be silent", () => all.received.length === 2);
    report("running");
    await until("it was told to be well", () => all.received.length === 3);
    for (let times = 0; times < 100; times += 1) {
      report("unresponsive", since);
      report("running");
    }
    report("unresponsive", since);
    report("failed", since);
    await caller.close();
    expect(all.received.map(({ event }) => event)).toEqual(["ready", "unresponsive", "recovered", "failed"]);
    expect(remarks).toHaveLength(4);
  });
});

describe("one message", () => {
  test("is sent three times to a receiver that is down; then it is dropped", async () => {
    const address = `http://127.0.0.1:${await freePort()}/`;
    const gone: HookTarget = { kind: "url", url: address, shown: shownTarget(address) };
    expect(await tellHook(gone, message, env, never)).toEqual({
      told: false,
      attempts: 3,
      detail: "ECONNREFUSED",
    });
  });

  test("is sent again after a 503, but not after a 404 or a redirect, which is not followed", async () => {
    const late = await listening((response, count) => response.writeHead(count === 1 ? 503 : 200).end());
    expect(await tellHook(url(late), message, env, never)).toEqual({ told: true, attempts: 2, detail: "status 200" });
    const other = await listening();
    for (const [status, headers] of [
      [404, {}],
      [307, { location: other.url }],
    ] as const) {
      const refusing = await listening((response) => response.writeHead(status, headers).end());
      const telling = await tellHook(url(refusing), message, env, never);
      expect(telling).toEqual({ told: false, attempts: 1, detail: `status ${status}` });
    }
    expect(other.requests).toHaveLength(0);
  });

  test("ends with its signal, whatever the receiver or the program does", async () => {
    const endless = await listening((response) => {
      response.socket?.write("HTTP/1.1 200 OK\r\n");
      const drip = setInterval(() => response.socket?.write("X: y\r\n"), 5);
      response.socket?.once("close", () => clearInterval(drip));
    });
    const stubborn = script(`trap '' TERM INT HUP; echo $$ >"$0.pid"; sleep 1000 & wait; sleep 1000`);
    for (const target of [url(endless), { kind: "program", path: stubborn } as const]) {
      const over = new AbortController();
      const telling = tellHook(target, message, env, over.signal);
      if (target.kind === "program")
        await until(
          "the program runs",
          () => existsSync(`${stubborn}.pid`) && readFileSync(`${stubborn}.pid`, "utf8") !== "",
        );
      else await until("the receiver answers", () => endless.requests.length === 1);
      const pid = target.kind === "program" ? Number(readFileSync(`${stubborn}.pid`, "utf8")) : undefined;
      const identity = pid === undefined ? undefined : identifyProcess(pid);
      over.abort();
      expect(await telling).toMatchObject({ told: false, attempts: 1 });
      if (identity !== undefined) await until("the program is gone", () => judgeProcess(identity) === "gone");
    }
    rmSync(join(stubborn, ".."), { recursive: true });
  });

  test("reads no body, however large, and counts an answer that is not HTTP as a failure", async () => {
    const flood = await listening((response) => {
      response.writeHead(200);
      const more = (): void => {
        while (response.write(Buffer.alloc(2 ** 16)));
        response.once("drain", more);
      };
      more();
    });
    expect(await tellHook(url(flood), message, env, never)).toMatchObject({ told: true, attempts: 1 });
    const babble = await listening((response) => response.socket?.end("SSH-2.0-x\r\n\r\n"));
    const telling = await tellHook(url(babble), message, env, never);
    expect(telling).toMatchObject({ told: false, attempts: 3 });
    expect(telling.detail).toMatch(/^HPE_/);
  });

  test("does not run a program that everyone can write, and says how a failed one ended", async () => {
    const open = script("exit 0");
    chmodSync(open, 0o777);
    const detail = "can be written by everybody";
    expect(await tellHook({ kind: "program", path: open }, message, env, never)).toEqual({
      told: false,
      attempts: 1,
      detail,
    });
    const failing = script("exit 3");
    expect(await tellHook({ kind: "program", path: failing }, message, env, never)).toEqual({
      told: false,
      attempts: 3,
      detail: "exit 3",
    });
    const missing = await tellHook({ kind: "program", path: "/no/such/hook" }, message, env, never);
    expect(missing).toEqual({ told: false, attempts: 1, detail: "ENOENT" });
    for (const path of [open, failing]) rmSync(join(path, ".."), { recursive: true });
  });
});

const whole = (part: { state: string; downSince: string | null; since: string }): HookSubject => ({
  reason: null,
  restarts: 0,
  lastExit: null,
  ...part,
});

describe("the events", () => {
  const states = [
    "starting",
    "running",
    "unresponsive",
    "stopping",
    "stopped",
    "failed",
    "blocked",
    "standby",
  ] as const;
  const subject = fc.record({
    state: fc.constantFrom(...states),
    downSince: fc.option(fc.constant("2026-01-01T00:00:00.000Z")),
    since: fc.constantFrom("2026-01-01T00:00:01.000Z", "2025-12-31T23:59:59.000Z"),
  });

  test("are at most one for a change of state, none without a change, and a recovery only after an outage", () => {
    fc.assert(
      fc.property(subject, subject, (one, other) => {
        const [before, after] = [whole(one), whole(other)];
        const event = hookEventBetween(before, after);
        if (before.state === after.state) expect(event).toBeUndefined();
        if (event === "recovered") {
          expect(before.downSince).not.toBeNull();
          expect(downTimeMs(before, after)).toBeGreaterThanOrEqual(0);
        }
        if (event === "ready") expect(before.downSince).toBeNull();
      }),
    );
  });

  test("are at most one in half a minute and twelve in an hour, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(600_000), { maxLength: 200 }), (pausesMs) => {
        const told: number[] = [];
        let now = 0;
        for (const pauseMs of pausesMs) {
          now += pauseMs;
          const waitMs = waitBeforeTelling(told, now);
          if (waitMs > 0) {
            // An event that has waited this long, and no longer, may be sent then.
            expect(waitBeforeTelling(told, now + waitMs)).toBe(0);
            continue;
          }
          told.push(now);
        }
        for (const [index, time] of told.entries()) {
          if (index > 0) expect(time - (told[index - 1] ?? 0)).toBeGreaterThanOrEqual(30_000);
          expect(told.filter((other) => other >= time && other - time < 3_600_000).length).toBeLessThanOrEqual(12);
        }
      }),
    );
  });

  test("show only scheme and host of a URL", () => {
    expect(shownTarget("https://u:p@hooks.example:8443/secret?x=y#z")).toBe("https://hooks.example:8443");
    expect(shownTarget("HTTP://a@b@hooks.example")).not.toContain("a@");
    expect(shownTarget("env:HOOK")).toBe("env:HOOK");
    expect(shownTarget("/usr/bin/tell")).toBe("/usr/bin/tell");
  });
});
