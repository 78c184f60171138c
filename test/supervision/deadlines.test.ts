/** The time that a person gives counts: longer and shorter, at create, at edit and at the stop itself. */
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { until } from "../harness/until.ts";
import { fixture, killAndWait, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

/** Starts a gateway that takes `saveMs` to save; returns the content of its file. */
async function startGame(
  { profiles, create, folder }: ScratchProfiles,
  saveMs: number,
  stopTimeoutMs?: number,
): Promise<() => Promise<string>> {
  const file = path.join(folder, "world");
  await create({ name: "game", stopTimeoutMs, argv: fixture("saves", "{port}", String(saveMs), file) });
  await profiles.start("game");
  return () => readFile(file, "utf8");
}

const LONG = 60_000;

describe.concurrent("a stop", () => {
  test("lasts as long as the profile says", () =>
    withProfiles(async (scratch) => {
      const world = await startGame(scratch, 1_500, LONG);
      expect((await scratch.profiles.stop("game")).outcome).toBe("stopped");
      expect(await world()).toBe("whole");
    }));

  test("lasts longer when it is given more time than the profile", () =>
    withProfiles(async (scratch) => {
      const world = await startGame(scratch, 1_500, 200);
      expect((await scratch.profiles.stop("game", { timeoutMs: LONG })).outcome).toBe("stopped");
      expect(await world()).toBe("whole");
      expect(existsSync(path.join(scratch.home, "run/game.stop"))).toBe(false);
    }));

  test("ends sooner with less time, and says that the gateway was killed: outcome, reason, history", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const world = await startGame(scratch, LONG, LONG);
      // Long enough for a busy gateway to begin to save.
      const { outcome, status } = await profiles.stop("game", { timeoutMs: 12_000 });
      expect({ outcome, reason: status.reason }).toEqual({ outcome: "killed", reason: "killed" });
      expect(await world()).toBe("half");
      expect((await profiles.status("game")).lastExit).toMatchObject({ signal: "SIGKILL" });
      const history = await readFile(path.join(status.paths.logs, "events.jsonl"), "utf8");
      expect(history).toMatch(/"state":"stopped","reason":"killed"/);
    }));

  test("accepts a second time, longer or shorter; asking twice is no order to kill", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      // Long enough for the second request to come in time.
      const world = await startGame(scratch, 15_000, 12_000);
      const first = profiles.stop("game");
      await until("it saves", async () => (await world().catch(() => "")) === "half");
      const second = profiles.stop("game", { timeoutMs: LONG });
      const third = profiles.stop("game");
      expect((await Promise.all([first, second, third])).map(({ outcome }) => outcome)).toEqual(
        Array(3).fill("stopped"),
      );
      expect(await world()).toBe("whole");
    }));

  test("can be hurried while it runs", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const world = await startGame(scratch, LONG, LONG);
      const first = profiles.stop("game");
      await until("it saves", async () => (await world().catch(() => "")) === "half");
      expect((await profiles.stop("game", { timeoutMs: 200 })).outcome).toBe("killed");
      expect((await first).outcome).toBe("killed");
    }));

  test("of an orphan has the same times", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const world = await startGame(scratch, 4_000, 200);
      await killAndWait((await profiles.status("game")).keeperPid);
      expect((await profiles.stop("game", { timeoutMs: LONG })).outcome).toBe("stopped");
      expect(await world()).toBe("whole");
      await profiles.start("game");
      await killAndWait((await profiles.status("game")).keeperPid);
      expect((await profiles.stop("game")).outcome).toBe("killed");
    }));
});

describe.concurrent("a restart", () => {
  test("gives the old gateway its time, and says when that was not enough", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const world = await startGame(scratch, 4_000, 200);
      expect(await profiles.restart("game", { timeoutMs: 30_000 })).toMatchObject({
        outcome: "restarted",
        killed: false,
      });
      expect(await world()).toBe("whole");
      expect(await profiles.restart("game")).toMatchObject({ outcome: "restarted", killed: true });
      await profiles.edit("game", { stopTimeoutMs: 30_000 });
      // The running gateway has read the old time.
      expect(await profiles.restart("game")).toMatchObject({ killed: true });
      expect(await profiles.restart("game")).toMatchObject({ killed: false });
    }));
});

test("a request for another run is ignored", () =>
  withProfiles(async (scratch) => {
    const { profiles, home } = scratch;
    const world = await startGame(scratch, 1_000, LONG);
    const { writeFile } = await import("node:fs/promises");
    const request = { v: 1, id: "x", nonce: "0".repeat(32), timeoutMs: 1 };
    await writeFile(path.join(home, "run/game.stop"), JSON.stringify(request), { mode: 0o600 });
    expect((await profiles.stop("game")).outcome).toBe("stopped");
    expect(await world()).toBe("whole");
  }));
