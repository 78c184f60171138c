/**
 * What the end of a gateway leaves alone: sessions that people started from inside of it (agentric PR#120, alpamon
 * PR#327).
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { until } from "../harness/until.ts";
import { fixture, isAlive, killAndWait, ownersOf, withProfiles } from "./scratch-profiles.ts";

/** Returns the pids of processes of one home whose command line ends with this word in quotes. */
function named(home: string, word: string): readonly number[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter(
      (pid) => read(pid, "cmdline").includes(`"${word}"`) && read(pid, "environ").includes(`LOCKKEEPER_HOME=${home}\0`),
    )
    .map(Number);
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

describe.concurrent("the end of a gateway", () => {
  test("spares an independent session, names it, and no later start or stop ends it", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 2, argv: fixture("starts-others", "{port}") });
      await profiles.start("api");
      await until("all are there", () => ownersOf(port + 1).size === 1);
      const [person = 0] = named(home, "with-session");
      const progress: string[] = [];
      const stopped = await profiles.stop("api", { onProgress: (text) => progress.push(text) });
      try {
        expect(stopped).toMatchObject({ outcome: "stopped", spared: [{ pid: person, name: "node" }] });
        expect(progress[0]).toBe(`stopping, except for node (pid ${person})`);
        expect(named(home, "with-session")).toEqual([person]);
        expect([named(home, "without-session"), named(home, "listens-in-block")]).toEqual([[], []]);
        expect((await profiles.status("api")).spared).toMatchObject([{ pid: person }]);

        expect((await profiles.stop("api")).outcome).toBe("already-stopped");
        const { status } = await profiles.start("api");
        await until("it has started others again", () => ownersOf(port + 1).size === 1);
        expect(named(home, "with-session")).toHaveLength(2);
        await killAndWait(status.pid);
        await until("it runs again", async () => (await profiles.status("api")).restarts === 1);
        await until("it is ready", async () => (await profiles.status("api")).state === "running");
        await until("it has started others again", () => ownersOf(port + 1).size === 1);
        expect(named(home, "with-session")).toContain(person);
        expect((await profiles.restart("api")).spared.map(({ pid }) => pid)).toContain(person);
        await until("it has started others again", () => ownersOf(port + 1).size === 1);
        expect((await profiles.stop("api")).outcome).toBe("stopped");
        expect(named(home, "without-session")).toEqual([]);
      } finally {
        for (const pid of named(home, "with-session")) process.kill(pid, "SIGKILL");
      }
      await until("they are gone", () => named(home, "with-session").length === 0);
      expect((await profiles.status("api")).spared).toEqual([]);
    }));

  test("ends everything with `end: all`", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 2, end: "all", argv: fixture("starts-others", "{port}") });
      await profiles.start("api");
      await until("all are there", () => ownersOf(port + 1).size === 1);
      expect(await profiles.stop("api")).toMatchObject({ outcome: "stopped", spared: [] });
      expect(named(home, "with-session")).toEqual([]);
    }));

  test.each([
    ["group", "stop"],
    ["group", "start"],
    ["all", "stop"],
    ["all", "start"],
  ] as const)("together with its keeper leaves strays with `end: %s`; %s ends these and no others", (end, verb) =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 2, end, argv: fixture("starts-others", "{port}") });
      const { status } = await profiles.start("api");
      const words = ["with-session", "without-session", "listens-in-block"];
      await until("all are there", () => words.every((word) => named(home, word).length === 1));
      await until("one listens in the block", () => ownersOf(port + 1).size === 1);
      const left = words.flatMap((word) => named(home, word));
      await killAndWait(status.keeperPid, status.pid);
      // The control: those are strays, and only a command ends them.
      expect(left.map(isAlive)).toEqual([true, true, true]);
      const { outcome } = await profiles[verb]("api");
      expect(outcome).toBe(verb === "stop" ? "stopped" : "started");
      expect(left.map(isAlive)).toEqual([end === "group", false, false]);
      if (verb === "start") await profiles.stop("api");
      for (const pid of named(home, "with-session")) process.kill(pid, "SIGKILL");
    }),
  );

  test("spares sessions of an orphan too", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const { port } = await create({ name: "api", span: 2, argv: fixture("starts-others", "{port}") });
      const { status } = await profiles.start("api");
      await until("all are there", () => ownersOf(port + 1).size === 1);
      await killAndWait(status.keeperPid);
      const { outcome, spared } = await profiles.stop("api");
      expect([outcome, spared.map(({ pid }) => pid)]).toEqual(["stopped", named(home, "with-session")]);
      for (const { pid } of spared) process.kill(pid, "SIGKILL");
    }));

  const tmux = canRun("tmux");
  test.skipIf(!tmux)("leaves a tmux server alone", () =>
    withProfiles(async ({ profiles, create, home }) => {
      const socket = `${home}/tmux`;
      const inside = (...args: string[]): string => execFileSync("tmux", ["-S", socket, ...args], { encoding: "utf8" });
      await create({ name: "api", span: 1, argv: fixture("starts-others", "{port}", "alone") });
      const { status } = await profiles.start("api");
      // As an agent in the gateway does it: with the gateway's environment.
      const env = Object.fromEntries(read(String(status.pid), "environ").split("\0").flatMap(pair));
      execFileSync("tmux", ["-S", socket, "new-session", "-d", "-s", "mine"], { env });
      try {
        const { spared } = await profiles.stop("api");
        expect(spared.map(({ name }) => name)).toContainEqual(expect.stringContaining("tmux"));
        expect(inside("list-sessions")).toContain("mine");
        await profiles.start("api");
        await profiles.restart("api");
        expect(inside("list-sessions")).toContain("mine");
      } finally {
        inside("kill-server");
      }
    }),
  );
  if (!tmux) process.stdout.write("skipped: a tmux server in a gateway (no tmux)\n");
});

function pair(text: string): [string, string][] {
  const at = text.indexOf("=");
  return at === -1 ? [] : [[text.slice(0, at), text.slice(at + 1)]];
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
