/** Any number of creations at once, each in its own process: every one gets a block, and no two share a port. */
import { openProfiles } from "@lockkeeper/profiles";
import { expect, test } from "vitest";
import type { CliRun } from "../harness/cli.ts";
import { withScratchHome } from "../harness/scratch-home.ts";

/** How often a create is tried whose turn does not come within the minute that a command waits: the machine may be busy. */
const TRIES = 4;

test("100 creates at once give 100 disjoint blocks and lose none", async () => {
  await withScratchHome(async ({ home, run }) => {
    const names = Array.from({ length: 100 }, (_, index) => `p${index}`);
    const create = async (name: string): Promise<CliRun> => {
      for (let left = TRIES; ; left -= 1) {
        const ended = await run(["create", name, "--json"], { timeoutMs: 240_000 });
        if (left === 1 || !ended.stderr.includes('"MUTEX_TIMEOUT"')) return ended;
      }
    };
    const runs = await Promise.all(names.map(create));
    expect(runs.filter(({ status }) => status !== 0)).toEqual([]);
    const report = await (await openProfiles({ home })).ports();
    expect(new Set(report.blocks.map(({ profile }) => profile))).toEqual(new Set(names));
    expect(report.conflicts).toEqual([]);
    const owners = new Map<number, string>();
    for (const { profile, port, end } of report.blocks) {
      for (let each = port; each <= end; each += 1) {
        expect(owners.get(each), `port ${each}`).toBeUndefined();
        owners.set(each, profile);
      }
    }
    expect(owners.size).toBe(1000);
    expect(owners.has(report.nextFree ?? 0)).toBe(false);
  });
});

test("of many that want the same name, or the same port, one gets it and the others are refused", async () => {
  await withScratchHome(async ({ home, run }) => {
    const sameName = await Promise.all(Array.from({ length: 8 }, () => run(["create", "dev"])));
    expect(sameName.map(({ status }) => status).sort()).toEqual([0, 73, 73, 73, 73, 73, 73, 73]);
    const { nextFree } = await (await openProfiles({ home })).ports();
    const wanted = Array.from({ length: 8 }, (_, index) => `q${index}`);
    const samePort = await Promise.all(wanted.map((name) => run(["create", name, "--port", String(nextFree)])));
    expect(samePort.map(({ status }) => status).sort()).toEqual([0, 78, 78, 78, 78, 78, 78, 78]);
    for (const { status, stderr } of samePort) if (status === 78) expect(stderr).toMatch(/overlaps .* of profile q\d/);
  });
});
