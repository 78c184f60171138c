import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { freePort } from "../../../../test/harness/ports.ts";
import { signalProcess } from "../../src/host/process-signal.ts";
import { readHistory } from "../../src/keeper/history.ts";
import { usableEnvironment } from "../../src/keeper/spawn-environment.ts";
import { KeeperScene } from "./kept-gateway.ts";

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "lk-env-"));
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test("drops inherited directories that are missing or not directories, and keeps the profile's own values", () => {
  const env = { TMPDIR: join(scratch, "gone"), XDG_RUNTIME_DIR: "/dev/null", A: "b" };
  expect(usableEnvironment(env, ["TMPDIR", "XDG_RUNTIME_DIR"])).toEqual({
    env: { A: "b" },
    dropped: [expect.stringContaining("gone is gone"), expect.stringContaining("/dev/null is not a directory")],
  });
  expect(usableEnvironment(env, ["A"])).toEqual({ env, dropped: [] });
  const usable = { TMPDIR: tmpdir(), XDG_RUNTIME_DIR: scratch };
  expect(usableEnvironment(usable, Object.keys(usable))).toEqual({ env: usable, dropped: [] });
});

test("the restart after a crash drops a TMPDIR that has vanished, and the history says so", async () => {
  const scene = new KeeperScene();
  try {
    const port = await freePort();
    const temporary = join(scratch, "shell");
    mkdirSync(temporary);
    const env = { PATH: process.env["PATH"] ?? "", TMPDIR: temporary };
    const kept = scene.keep(scene.spec("shows-start.js", [port], { port, env, inherited: ["TMPDIR"] }));
    const { gateway } = await kept.until("running");
    rmSync(temporary, { recursive: true });
    if (gateway !== null) signalProcess(gateway, "SIGKILL");
    await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
    const told = kept
      .readLog()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => (JSON.parse(line) as { env: Record<string, string> }).env["TMPDIR"]);
    expect(told).toEqual([temporary, undefined]);
    expect(readHistory(kept.spec.eventsPath).map(({ reason }) => reason)).toContain(
      `TMPDIR=${temporary} is gone, so the gateway starts without it`,
    );
  } finally {
    await scene.end();
  }
});
