/**
 * `pnpm torture lease [--rounds N] [--ttl seconds] [--seed N] [--faults a,b] [--design lockkeeper|self-stop|naive]`
 * Without a design: ours at 3 s with fast elections and every fault, ours at 10 s with the faults that must not cost the
 * owner its gateway, and the two controls, whose every cycle must be caught. Exit 1 when ours breaks its promise or a
 * control passes.
 */
import { parseArgs } from "node:util";

import { whyNoEtcd } from "../../harness/etcd-cluster.ts";
import { findBreach, formatCycles, WAKING_MS } from "./lease-report.ts";
import type { Cycle, Fault } from "./lease-torture.ts";
import { FAULTS, tortureLease } from "./lease-torture.ts";
import type { Design } from "./lease-host.ts";
import { findPartitionMeans } from "./link.ts";

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    rounds: { type: "string" },
    ttl: { type: "string" },
    seed: { type: "string" },
    faults: { type: "string" },
    design: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? 10);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const means = findPartitionMeans();
const asked = values.faults?.split(",") ?? [];
const chosen = FAULTS.filter((fault) => asked.length === 0 || asked.includes(fault));

function onProgress(text: string): void {
  process.stderr.write(`  ${text}\n`);
}

async function run(
  title: string,
  design: Design,
  ttlSeconds: number,
  faults: readonly Fault[],
  times: number,
): Promise<readonly Cycle[]> {
  process.stderr.write(`${title}, seed ${seed}, partitions by ${means}:\n`);
  // etcd's own election timeout suits a time to live of 10 s and more.
  const electionMs = ttlSeconds < 10 ? { electionMs: 300 } : {};
  const cycles = await tortureLease({
    design,
    faults,
    rounds: times,
    seed,
    ttlSeconds,
    means,
    ...electionMs,
    onProgress,
  });
  process.stdout.write(`${formatCycles(`${title}, ${ttlSeconds} s, seed ${seed}`, cycles)}\n`);
  return cycles;
}

function judge(cycles: readonly Cycle[]): boolean {
  const breaches = cycles.flatMap((cycle) => findBreach(cycle, WAKING_MS) ?? []);
  for (const breach of breaches) process.stdout.write(`BREACH: ${breach}\n`);
  return breaches.length === 0;
}

if (whyNoEtcd() !== undefined) process.exitCode = 1;
else if (values.design !== undefined || values.ttl !== undefined || values.faults !== undefined) {
  const design = (values.design ?? "lockkeeper") as Design;
  const isGood = judge(await run(design, design, Number(values.ttl ?? 3), chosen, rounds));
  process.exitCode = isGood ? 0 : 1;
} else {
  const quick = await run("ours", "lockkeeper", 3, FAULTS, rounds);
  const calm = await run("ours", "lockkeeper", 10, ["kill-leader", "slow-link"], rounds);
  const selfStop = await run("control: stops itself", "self-stop", 3, ["kill-keeper", "stop-keeper"], 2);
  const naive = await run("control: naive", "naive", 3, ["kill-keeper", "stop-keeper", "partition"], 2);
  const passed = judge([...quick, ...calm]) && calm.every(({ newMs }) => newMs === null);
  const caught = [...selfStop, ...naive].every(({ staleWrites }) => staleWrites > 0);
  process.stdout.write(passed ? "ours: never two owners, and no needless stop at 10 s\n" : "OURS BROKE ITS PROMISE\n");
  process.stdout.write(
    caught ? "every cycle of both controls was caught\n" : "A CONTROL WAS NOT CAUGHT: this run proves nothing\n",
  );
  process.exitCode = passed && caught ? 0 : 1;
}
