/**
 * `pnpm e2e:openclaw`: the real OpenClaw under Lockkeeper, through the command line, in a scratch home: two gateways side by
 * side, a main and a rescue one from nothing, ten shapes of config that are adopted, and takeovers that go through or go back.
 * Prints a line per step, figures at the end, and leaves nothing. Exit 0 when all held, and also, saying so, when the npm
 * registry cannot be reached; exit 1 when something did not hold.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { livingProcesses } from "../harness/scratch-home.ts";
import { until } from "../harness/until.ts";
import { Bench, figures, timed } from "./bench.ts";
import { findInstallation, installOpenClaw, registryFault } from "./install.ts";
import { mainAndRescue } from "./main-and-rescue.ts";
import { shapes } from "./shapes.ts";
import { sideBySide } from "./side-by-side.ts";
import { takeovers } from "./takeovers.ts";

async function main(): Promise<number> {
  // An earlier run may have installed it here: `LOCKKEEPER_E2E_OPENCLAW=~/openclaw-e2e pnpm e2e:openclaw` then needs no
  // network.
  const kept = process.env["LOCKKEEPER_E2E_OPENCLAW"];
  const there = kept === undefined ? undefined : await findInstallation(kept);
  const fault = there === undefined ? await registryFault() : undefined;
  if (fault !== undefined) {
    console.log(`not run: the real OpenClaw comes from the npm registry, which cannot be used: ${fault}`);
    return 0;
  }
  const shared = await openClawTraces();
  const scratch = await mkdtemp(path.join(tmpdir(), "lockkeeper-openclaw-"));
  const user = path.join(scratch, "user");
  const home = path.join(user, ".lockkeeper");
  try {
    await mkdir(path.join(scratch, "tmp"), { recursive: true });
    await mkdir(user);
    const folder = kept ?? path.join(scratch, "packages");
    const installation = there ?? (await timed("install", () => installOpenClaw(folder)));
    console.log(`installed ${installation.versions}`);
    const bench = new Bench(user, path.join(scratch, "tmp"), installation);
    try {
      for (const scenario of [sideBySide, mainAndRescue].filter(isWanted)) await scenario(bench);
      const here = (await readdir(user)).sort().join(" ");
      assert.ok(!existsSync(path.join(user, ".openclaw")), `nothing may appear in ~/.openclaw: ${here}`);
      console.log(`ok: nothing in ~/.openclaw (the scratch home holds ${here})`);
      for (const scenario of [shapes, takeovers].filter(isWanted)) await scenario(bench);
    } catch (error) {
      console.error(await bench.story());
      throw error;
    }
    assert.deepEqual(await livingProcesses(home), [], "processes left over");
    console.log(`ok: nothing left running\n\n${figures.join("\n")}`);
    return 0;
  } finally {
    for (const pid of await livingProcesses(home)) process.kill(pid, "SIGKILL");
    await until("everything of ours has ended", async () => (await livingProcesses(home)).length === 0);
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    for (const trace of await openClawTraces()) {
      if (!shared.includes(trace)) await rm(trace, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

/** All of them, or the named ones: `pnpm e2e:openclaw takeovers`. */
function isWanted({ name }: { readonly name: string }): boolean {
  const named = process.argv.slice(2);
  return named.length === 0 || named.includes(name);
}

/** What OpenClaw writes to /tmp whatever TMPDIR says: logs and locks, which a user's own gateways have there too. */
async function openClawTraces(): Promise<readonly string[]> {
  const entries = await readdir("/tmp");
  return entries.filter((entry) => entry.startsWith("openclaw")).map((entry) => path.join("/tmp", entry));
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
