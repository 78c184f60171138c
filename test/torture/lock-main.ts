/**
 * `pnpm torture [--adapter <name or path>] [--acquisitions N] [--kills N] [--seed N] [--minutes N] [--deletions N]
 * [--world two-paths|two-disks] [--short]` Without `--adapter`: our lock in the long form; with its files deleted during
 * the run; at two paths; beside an equal place on another disk; its fallback; and the positive controls, which must be
 * caught. Exit 1 when our lock fails or a control passes.
 */
import { parseArgs } from "node:util";

import { formatReports } from "./report.ts";
import type { TortureOptions, TortureReport } from "./torture.ts";
import { torture } from "./torture.ts";

const WORLDS = ["one", "two-paths", "two-disks"] as const;
const LONG = { acquisitions: 100_000, kills: 5_000, minutes: 60 };
const SHORT = { acquisitions: 3_000, kills: 100, minutes: 1 };

const { values } = parseArgs({
  options: {
    adapter: { type: "string" },
    acquisitions: { type: "string" },
    kills: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string" },
    short: { type: "boolean", default: false },
    deletions: { type: "string" },
    world: { type: "string" },
  },
});
const form = values.short ? SHORT : LONG;
const acquisitions = Number(values.acquisitions ?? form.acquisitions);
const kills = Number(values.kills ?? form.kills);
const common = {
  maxMs: Number(values.minutes ?? form.minutes) * 60_000,
  killEveryMs: 80,
  stepKillChance: 0.015,
  ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
};

async function run(options: TortureOptions): Promise<TortureReport> {
  const harm = options.deletions === undefined ? "" : ", files deleted meanwhile";
  process.stderr.write(`${options.adapter}, world ${options.world ?? "one"}${harm}:\n`);
  return torture({ ...options, onProgress: (text) => process.stderr.write(`  ${text}\n`) });
}

const isClean = (report: TortureReport): boolean => report.overlaps + report.portClashes + report.wedges === 0;

if (values.adapter === undefined) {
  const tenth = { acquisitions: Math.ceil(acquisitions / 10), kills: Math.ceil(kills / 10) };
  const hundredth = { acquisitions: Math.ceil(acquisitions / 100), kills: Math.ceil(kills / 100) };
  const ours = [
    await run({ ...common, adapter: "lockkeeper", acquisitions, kills }),
    await run({ ...common, adapter: "lockkeeper", ...tenth, deletions: hundredth.kills }),
    await run({ ...common, adapter: "lockkeeper", world: "two-paths", ...tenth, deletions: hundredth.kills }),
    await run({ ...common, adapter: "lockkeeper", world: "two-disks", ...tenth }),
    await run({ ...common, adapter: "lockkeeper-fallback", ...tenth }),
  ];
  const controls = [
    await run({ ...common, adapter: "no-lock", ...hundredth }),
    await run({ ...common, adapter: "pid-file", ...tenth, maxMs: 60_000 }),
    await run({ ...common, adapter: "path-named", world: "two-paths", ...hundredth }),
    await run({
      ...common,
      adapter: "inode-only",
      world: "two-disks",
      ...hundredth,
      maxMs: 30_000,
      stopWhenCaught: true,
    }),
  ];
  console.log(formatReports([...ours, ...controls]));
  const passed = ours.every(isClean);
  const caught = controls.every((report) => !isClean(report));
  console.log(passed ? "our lock: not one violation or wedge" : "OUR LOCK FAILED");
  console.log(caught ? "every control was caught" : "A CONTROL WAS NOT CAUGHT: this run proves nothing");
  process.exitCode = passed && caught ? 0 : 1;
} else {
  const harm = values.deletions === undefined ? {} : { deletions: Number(values.deletions) };
  const world = WORLDS.find((kind) => kind === values.world);
  const report = await run({
    ...common,
    adapter: values.adapter,
    acquisitions,
    kills,
    ...harm,
    ...(world === undefined ? {} : { world }),
  });
  console.log(formatReports([report]));
  process.exitCode = isClean(report) ? 0 : 1;
}
