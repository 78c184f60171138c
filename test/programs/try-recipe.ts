/** One program of the page, from its folder to its end: created as printed, started, requested, restarted, stopped. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { ScratchHome } from "../harness/scratch-home.ts";
import type { Recipe } from "./recipes.ts";

interface Told {
  readonly state: string;
  readonly url: string;
  readonly health: string;
  readonly pid: number;
}

const INSTALL_TIMEOUT_MS = 5 * 60_000;
const START_TIMEOUT_MS = 90_000;
const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"];

/**
 * Returns when every check held.
 *
 * @throws when one failed, with the output
 */
export async function tryRecipe({ folder, home, run, json }: ScratchHome, recipe: Recipe, PATH: string): Promise<void> {
  const cwd = path.join(folder, "project");
  mkdirSync(cwd);
  recipe.prepare(cwd);
  const env = { PATH, NEXT_TELEMETRY_DISABLED: "1" };
  const finish = (program: string, args: readonly string[]): Promise<unknown> =>
    promisify(execFile)(program, [...args], {
      cwd,
      env: { ...process.env, ...env, LOCKKEEPER_HOME: home },
      timeout: INSTALL_TIMEOUT_MS,
    });
  if (recipe.packages !== undefined) await finish("npm", ["install", ...QUIET, ...recipe.packages]);
  const [program, ...args] = recipe.builds ?? [];
  if (program !== undefined) await finish(program, args);

  const must = async (...words: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(words, { cwd, env, timeoutMs: START_TIMEOUT_MS });
    assert.equal(status, 0, `lockkeeper ${words.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const words = recipe.command.split(" ");
  const [, name = ""] = words;
  const told = async (): Promise<Told> => {
    const [status] = (await json(["list", name])) as readonly Told[];
    assert.ok(status !== undefined);
    return status;
  };
  const look = async (): Promise<Told> => {
    const { url, state } = await told();
    assert.equal(state, "running");
    if (recipe.asks === null) return told();
    // A development server builds its page on the first request.
    const answer = await fetch(`${url}${recipe.asks}`, { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), recipe.shows ?? /hello/);
    const status = await told();
    assert.equal(status.health, "ok");
    return status;
  };
  await must(...words);
  await must("start", name, "--timeout", "60s");
  const before = await look();
  await must("restart", name, "--timeout", "60s");
  assert.notEqual((await look()).pid, before.pid);
  // A program that has to be killed would say "killed".
  assert.match(await must("stop", name), new RegExp(`^${name}: stopped`));
}
