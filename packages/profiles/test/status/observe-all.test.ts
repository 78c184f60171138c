import { acquireGatewayLock } from "@lockkeeper/core";
import { lookAtKernelLocks } from "@lockkeeper/core/internal";
import * as fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/manifest.ts";
import { homePaths, lockPlace } from "../../src/profile-paths.ts";
import { observeAll } from "../../src/status/observe-all.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { publishRun } from "../published-run.ts";
import { manifest, scratchHome } from "../scratch-home.ts";

/** More than are looked at one by one. */
const MANY = 400;

function homeOf(count: number): { readonly home: string; readonly manifests: readonly Manifest[] } {
  const home = scratchHome();
  fs.mkdirSync(homePaths(home).run, { recursive: true, mode: 0o700 });
  const manifests = Array.from({ length: count }, (_, index) => manifest(home, `p${index}`, 20_000 + 10 * index));
  for (const { paths } of manifests) fs.mkdirSync(paths.lock, { recursive: true, mode: 0o700 });
  return { home, manifests };
}

async function statesOf(home: string, manifests: readonly Manifest[]): Promise<Readonly<Record<string, string>>> {
  const seen = (await observeAll({ home }, manifests)).map(({ manifest: { name }, observed }) => [
    name,
    observed.state,
  ]);
  return Object.fromEntries(seen.filter(([, state]) => state !== "stopped")) as Record<string, string>;
}

test.each([3, MANY])("an owner without a record is seen among %d profiles", async (count) => {
  const { home, manifests } = homeOf(count);
  expect(await statesOf(home, manifests)).toEqual({});
  const owned = manifests[count - 1] as Manifest;
  const lock = await acquireGatewayLock({ ...lockPlace(owned.paths), host: owned.host, port: await freePort() });
  try {
    expect(lookAtKernelLocks().hasSeenAllIn(homePaths(home).profiles)).toBe(false);
    expect(await statesOf(home, manifests)).toEqual({ [owned.name]: "starting" });
  } finally {
    await lock.release();
  }
  expect(await statesOf(home, manifests)).toEqual({});
});

test("an owner whose record says that it has ended is seen among many", async () => {
  const { home, manifests } = homeOf(MANY);
  const owned = manifests[7] as Manifest;
  publishRun(home, owned, { state: "stopped", health: "unknown" });
  expect(await statesOf(home, manifests)).toEqual({});
  const lock = await acquireGatewayLock({ ...lockPlace(owned.paths), host: owned.host, port: await freePort() });
  try {
    expect(await statesOf(home, manifests)).toEqual({ [owned.name]: "starting" });
  } finally {
    await lock.release();
  }
});

/** How many locks are held besides those of one owner: its file, and two marks on its directory. */
function others(): number {
  return (fs.readFileSync("/proc/locks", "utf8").match(/: OFDLCK /g)?.length ?? 0) - 3;
}

test("a look that asked about every owner of a home says so, unless other processes use the locks", async () => {
  const { home, manifests } = homeOf(2);
  const [owned] = manifests as [Manifest];
  const lock = await acquireGatewayLock(lockPlace(owned.paths));
  try {
    // With another process on this host nothing follows from that. It may come and go between two looks.
    let isAlone = false;
    let sawAll = false;
    for (let times = 0; times < 50 && !sawAll; times += 1) {
      const before = others();
      const look = lookAtKernelLocks();
      expect(look.hasSeenAllIn(homePaths(home).profiles)).toBe(false);
      expect(look.ask(lockPlace(owned.paths)).verdict).toBe("held");
      sawAll = look.hasSeenAllIn(homePaths(home).profiles);
      isAlone = before === 0 && others() === 0;
      if (!isAlone) await delay(20);
    }
    if (isAlone || sawAll) expect(sawAll).toBe(true);
    else process.stdout.write(`not looked at: ${others()} other locks are held on this host\n`);
  } finally {
    await lock.release();
  }
});
