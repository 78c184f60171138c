/** What the tests of exports share: the text, the engine's own programs, and what a move must not change. */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { existsSync, lstatSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import type { ScratchHome } from "../harness/scratch-home.ts";

/** Returns the first of these programs that exists; otherwise prints that its tests are skipped. */
export function program(what: string, named: string | undefined, ...places: readonly string[]): string | undefined {
  const found = [...(named === undefined ? [] : [named]), ...places].find((file) => existsSync(file));
  if (found === undefined) process.stdout.write(`skipped: ${what} is not installed\n`);
  return found;
}

/** Returns what `export` prints. */
export async function exported({ run }: ScratchHome, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(["export", ...args]);
  expect(status, stderr).toBe(0);
  return stdout;
}

/**
 * Returns a checksum of everything of a home that a move must not change, by name, mode and content, without what a run
 * writes.
 */
export async function fingerprint(home: string): Promise<string> {
  const sum = createHash("sha256");
  const roots = ["registry.json", "config.json"];
  for (const name of await readdir(path.join(home, "profiles"))) {
    roots.push(...["token", "config", "state", "workspace"].map((part) => `profiles/${name}/${part}`));
  }
  for (const root of roots.toSorted()) await add(sum, home, root);
  return sum.digest("hex");
}

async function add(sum: Hash, home: string, name: string): Promise<void> {
  const place = path.join(home, name);
  const stats = lstatSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return;
  sum.update(`${name}\0${stats.mode.toString(8)}\0`);
  if (!stats.isDirectory()) return void sum.update(await readFile(place));
  for (const inner of (await readdir(place)).toSorted()) await add(sum, home, path.join(name, inner));
}

/** Creates `prod`, with its own config and state. */
export async function createKept({ home, run }: ScratchHome): Promise<void> {
  expect((await run(["create", "prod"])).status).toBe(0);
  expect((await run(["config", "set", "allowedHosts", "box.lan", "--profile", "prod"])).status).toBe(0);
  const state = path.join(home, "profiles/prod/state");
  await mkdir(path.join(state, "deep"), { recursive: true, mode: 0o700 });
  await writeFile(path.join(state, "deep/kept"), "state of the gateway", { mode: 0o640 });
}
