/** What the tests of exports have in common: the text, the engine's own programs, and what a move must not change. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import type { ScratchHome } from "../harness/scratch-home.ts";

/** Returns the first of these programs that is there; else says that its tests are skipped. */
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

/** Returns a sum of everything of a profile that a move must not change, by name and content. */
export async function fingerprint(profile: string): Promise<string> {
  const sum = createHash("sha256");
  for (const part of ["token", "config", "state", "workspace"]) {
    const place = path.join(profile, part);
    if (!existsSync(place)) continue;
    const files = part === "token" ? [""] : await readdir(place, { recursive: true });
    for (const file of files.toSorted()) {
      sum.update(`${part}/${file}\0`);
      sum.update(await readFile(path.join(place, file)).catch(() => "a folder"));
    }
  }
  return sum.digest("hex");
}

/** Creates `prod`, with a config and a state of its own, and returns its folder. */
export async function createKept({ home, run }: ScratchHome): Promise<string> {
  expect((await run(["create", "prod"])).status).toBe(0);
  expect((await run(["config", "set", "allowedHosts", "box.lan", "--profile", "prod"])).status).toBe(0);
  const profile = path.join(home, "profiles/prod");
  await mkdir(path.join(profile, "state"), { recursive: true, mode: 0o700 });
  await writeFile(path.join(profile, "state/kept"), "state of the gateway", { mode: 0o600 });
  return profile;
}
