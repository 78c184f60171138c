/**
 * A keeper that is the main process of its container: the container ends with it, so nothing there can start it again. What
 * needs a start after the stop is refused beforehand, and a stop says what it ends.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";
import { until } from "../harness/until.ts";
import { fixture, gatewaysOf, untilRecordedAsRunning, withProfiles } from "./scratch-profiles.ts";
import type { ScratchProfiles } from "./scratch-profiles.ts";

const isAllowed = spawnSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"]).status === 0;
if (!isAllowed) process.stdout.write("skipped: this machine makes no pid namespaces for us (unshare)\n");

interface Container {
  /** Runs a command in it, as `docker exec` does. */
  readonly exec: (...args: readonly string[]) => { readonly status: number | null; readonly stderr: string };
  readonly hasEnded: () => boolean;
}

/** Runs `use` while `lockkeeper run dev` with `options` is the command of a container, behind the program `init` if given. */
async function inContainer(
  { home }: ScratchProfiles,
  { init = [], options = [] }: { readonly init?: readonly string[]; readonly options?: readonly string[] },
  use: (container: Container) => Promise<void>,
): Promise<void> {
  const unshare = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const run = [...init, process.execPath, CLI_ENTRY, "run", "dev", ...options];
  const container = spawn("unshare", [...unshare, ...run], { env: bareEnvironment(home), stdio: "ignore" });
  const ended = once(container, "exit");
  try {
    await untilRecordedAsRunning(home, "dev");
    const [first = ""] = spawnSync("pgrep", ["-P", String(container.pid)], { encoding: "utf8" }).stdout.split("\n");
    await use({
      exec: (...args) =>
        spawnSync("nsenter", ["--target", first, "--pid", "--mount", process.execPath, CLI_ENTRY, ...args], {
          env: bareEnvironment(home),
          encoding: "utf8",
        }),
      hasEnded: () => container.exitCode !== null || container.signalCode !== null,
    });
  } finally {
    container.kill("SIGKILL");
    await ended;
    await until("the gateways of the container are gone", () => gatewaysOf(home, "serve").length === 0);
  }
}

const createDev = ({ create }: ScratchProfiles): ReturnType<ScratchProfiles["create"]> =>
  create({ name: "dev", span: 1, argv: fixture("serve", "{port}"), health: "tcp" });

/** Ends with its one child, as the inits of container engines do; what it is called tells what it is. */
function initNamed(name: string, { folder }: ScratchProfiles): readonly string[] {
  const file = path.join(folder, name);
  writeFileSync(file, '#!/bin/sh\n"$@" &\nwait $!\n', { mode: 0o700 });
  return [file];
}

describe.runIf(isAllowed)("the main process of a container", () => {
  test.each([
    ["as its first process", (): readonly string[] => []],
    ["behind an init", (scratch: ScratchProfiles): readonly string[] => initNamed("tini", scratch)],
  ])("%s: a restart is refused and names --stay; a stop says that it ends the container", (_, init) =>
    withProfiles(async (scratch) => {
      await createDev(scratch);
      await inContainer(scratch, { init: init(scratch) }, async ({ exec, hasEnded }) => {
        const before = gatewaysOf(scratch.home, "serve");
        for (const command of [
          ["restart", "dev"],
          ["clone", "dev", "copy", "--stop"],
        ]) {
          const { status, stderr } = exec(...command);
          expect({ command, status, stderr }).toMatchObject({
            status: 1,
            stderr: expect.stringContaining("it was not stopped and still runs") as string,
          });
          expect(stderr).toContain("lockkeeper run dev --stay");
        }
        expect(gatewaysOf(scratch.home, "serve")).toEqual(before);
        expect(hasEnded()).toBe(false);
        const { stderr } = exec("stop", "dev");
        expect(stderr).toContain("this container, which ends with it");
        await until("the container has ended", hasEnded);
      });
    }),
  );

  test("that stays is restarted from inside, and so is the keeper that this has started", () =>
    withProfiles(async (scratch) => {
      await createDev(scratch);
      const init = initNamed("tini", scratch);
      await inContainer(scratch, { init, options: ["--stay"] }, async ({ exec, hasEnded }) => {
        for (let count = 0; count < 2; count += 1) {
          const before = gatewaysOf(scratch.home, "serve");
          expect(exec("restart", "dev")).toMatchObject({
            status: 0,
            stderr: expect.not.stringContaining("ends with it") as string,
          });
          expect(gatewaysOf(scratch.home, "serve")).not.toEqual(before);
        }
        expect(hasEnded()).toBe(false);
      });
    }));
});
