/** The short form of `pnpm torture lease`: each fault once, and the controls, which must be caught. */
import { describe, expect, test } from "vitest";

import { whyNoEtcd } from "../../harness/etcd-cluster.ts";
import { findBreach, formatCycles } from "./lease-report.ts";
import type { Cycle, LeaseTortureOptions } from "./lease-torture.ts";
import { tortureLease } from "./lease-torture.ts";
import { judgeWrites, parseWrites } from "./lease-witness.ts";
import { findPartitionMeans } from "./link.ts";

/** Time for faults that each last several times as long as a lease. */
const LIMIT_MS = 400_000;

async function torture(options: Pick<LeaseTortureOptions, "design" | "faults">): Promise<readonly Cycle[]> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const means = findPartitionMeans();
  const cycles = await tortureLease({ ...options, rounds: 1, seed, means, ttlSeconds: 3, electionMs: 300 });
  process.stdout.write(`${formatCycles(`${options.design}, seed ${seed}, partitions by ${means}`, cycles)}\n`);
  return cycles;
}

const breachesOf = (cycles: readonly Cycle[]): readonly string[] => cycles.flatMap((cycle) => findBreach(cycle) ?? []);

describe.skipIf(whyNoEtcd() !== undefined).concurrent("a lease under torture", () => {
  test(
    "has one owner whatever happens to a host",
    async ({ expect: check }) => {
      const faults = [
        "kill-keeper",
        "kill-sentinel-then-keeper",
        "kill-keeper-then-sentinel",
        "stop-keeper",
        "pause-host",
      ] as const;
      check(breachesOf(await torture({ design: "lockkeeper", faults }))).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "has one owner whatever happens to etcd and to the way to it",
    async ({ expect: check }) => {
      const faults = ["partition", "kill-leader", "lose-quorum", "slow-link", "handover"] as const;
      check(breachesOf(await torture({ design: "lockkeeper", faults }))).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "has two owners with keepers that only stop themselves, and with the naive ones: the controls are caught",
    async ({ expect: check }) => {
      const selfStop = await torture({ design: "self-stop", faults: ["kill-keeper", "stop-keeper"] });
      const naive = await torture({ design: "naive", faults: ["partition"] });
      for (const { fault, staleWrites } of [...selfStop, ...naive]) check(staleWrites, fault).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

function judge(text: string): ReturnType<typeof judgeWrites> {
  return judgeWrites(parseWrites(text));
}

describe("the witness of a lease", () => {
  test("accepts consecutive owners, and skips a line that a death cut short", () => {
    expect(judge("W a 1 1000000\nW a 1 2000000\nW b 2 3000000\nW b 2 40")).toEqual({
      owners: 2,
      overlapMs: 0,
      staleWrites: 0,
      acceptedStale: 0,
    });
  });

  test("sees an owner that writes at the same time as the next one, and that its token refuses it", () => {
    expect(judge("W a 1 1000000\nW b 2 3000000\nW a 1 8000000\nW b 2 9000000\n")).toMatchObject({
      overlapMs: 5,
      staleWrites: 1,
      acceptedStale: 0,
    });
  });

  test("sees a token that does not refuse it", () => {
    expect(judge("W a 2 1000000\nW b 2 3000000\nW a 2 8000000\n")).toMatchObject({ staleWrites: 1, acceptedStale: 1 });
  });
});
