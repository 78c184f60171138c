import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { CLI_ENTRY } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { countGateways, fixture, gatewaysOf, isAlive, killAndWait, sample, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

interface Inside {
  readonly port: number;
  readonly pid: number | null;
  readonly keeperPid: number | null;
  /** Runs a command as somebody who works inside the gateway would; returns its pid. */
  readonly work: (...argv: readonly string[]) => Promise<number>;
  /** The output of the work so far. */
  readonly output: () => Promise<string>;
}

async function startAgent({ profiles, create, folder }: ScratchProfiles, name = "bot"): Promise<Inside> {
  const file = path.join(folder, `${name}.output`);
  const { port } = await create({ name, span: 1, health: "/", argv: fixture("agent", "{port}", file) });
  const { status } = await profiles.start(name);
  return {
    port,
    pid: status.pid,
    keeperPid: status.keeperPid,
    work: async (...argv) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(argv) });
      return Number(await answer.text());
    },
    output: () => readFile(file, "utf8").catch(() => ""),
  };
}

const cli = (...args: readonly string[]): string[] => [process.execPath, CLI_ENTRY, ...args];

describe.concurrent("a command from inside the gateway (openclaw/openclaw#41198, openclaw/openclaw#120134)", () => {
  test("restart is finished from outside, and no sample shows two gateways", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      const { pid, keeperPid, work, output } = await startAgent(scratch);
      const finish = sample(() => countGateways(home, "agent.js"));
      await work(...cli("restart", "bot"));
      await until("another gateway runs", async () => {
        const status = await profiles.status("bot");
        return status.state === "running" && status.pid !== pid;
      });
      expect((await finish()).most).toBe(1);
      const status = await profiles.status("bot");
      expect(status.keeperPid).not.toBe(keeperPid);
      expect([isAlive(pid), isAlive(keeperPid)]).toEqual([false, false]);
      await until("it has said so", async () => (await output()).includes("handed over"));
    }));

  test("restart is finished even when its environment was cleaned, and no gateway stays stopped", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      const { pid, keeperPid, work } = await startAgent(scratch);
      await killAndWait(keeperPid);
      await work(
        "/usr/bin/env",
        "-i",
        `LOCKKEEPER_HOME=${home}`,
        `PATH=${process.env["PATH"]}`,
        ...cli("restart", "bot"),
      );
      await until("another gateway runs under a keeper", async () => {
        const status = await profiles.status("bot");
        return status.state === "running" && status.pid !== pid && isAlive(status.keeperPid);
      });
    }));

  test("stop needs confirmation, and then runs to its end", () =>
    withProfiles(async (scratch) => {
      const { profiles, home } = scratch;
      const { pid, work, output } = await startAgent(scratch);
      await work(...cli("stop", "bot"));
      await until("it was refused", async () => (await output()).includes("--yes-stop-myself"));
      expect(await profiles.status("bot")).toMatchObject({ state: "running", pid });
      await work(...cli("stop", "bot", "--yes-stop-myself"));
      await until("it is stopped", async () => (await profiles.status("bot")).state === "stopped");
      await until("nothing is left", () => gatewaysOf(home, "").length === 0);
    }));

  test("start --replace does not end the gateway that it runs in", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const { pid, keeperPid, work, output } = await startAgent(scratch);
      await killAndWait(keeperPid);
      await work(...cli("start", "bot", "--replace"));
      await until("it was refused", async () => (await output()).includes("inside the gateway"));
      expect(await profiles.status("bot")).toMatchObject({ state: "orphaned", pid });
    }));

  test("start works on the leftovers of a killed gateway, and does not end itself", () =>
    withProfiles(async (scratch) => {
      const { profiles } = scratch;
      const { pid, keeperPid, work, output } = await startAgent(scratch);
      const start = cli("start", "bot")
        .map((argument) => `'${argument}'`)
        .join(" ");
      // Whoever has to collect a killed process may never do it: a zombie does not live.
      const lives = `ps -o stat= -p ${pid},${keeperPid} | grep -q '^[^Z]'`;
      const left = `while ${lives}; do sleep 0.05; done; ${start}; echo "exit $?"`;
      await work("/bin/sh", "-c", left);
      await killAndWait(keeperPid, pid);
      await until("start has ended", async () => /exit \d+\n/.test(await output()));
      expect(await output()).toContain("exit 0\n");
      expect((await profiles.status("bot")).state).toBe("running");
    }));

  test("a profile that was started there is independent: it survives the end of the gateway it was started in", () =>
    withProfiles(async (scratch) => {
      const { profiles, create } = scratch;
      const { work } = await startAgent(scratch);
      await create({ name: "other", span: 1, argv: fixture("serve", "{port}") });
      await work(...cli("start", "other"));
      await until("it runs", async () => (await profiles.status("other")).state === "running");
      const before = await profiles.status("other");
      await profiles.stop("bot");
      expect(await profiles.status("other")).toMatchObject({
        state: "running",
        pid: before.pid,
        keeperPid: before.keeperPid,
        restarts: 0,
      });
    }));

  test("stop and restart of another profile need no confirmation", () =>
    withProfiles(async (scratch) => {
      const { profiles, create } = scratch;
      const { work, pid } = await startAgent(scratch);
      await create({ name: "other", span: 1, argv: fixture("serve", "{port}") });
      await profiles.start("other");
      await work(...cli("stop", "other"));
      await until("it is stopped", async () => (await profiles.status("other")).state === "stopped");
      expect((await profiles.status("bot")).pid).toBe(pid);
    }));
});
