/**
 * All figures beside their floors and peers, in one run, as Markdown: the content of docs/performance.md. Asserts
 * nothing. The lock and the gateway host have benches of their own; the rows here are the short form.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compareLocks } from "./lock.ts";
import { currentLoad, describeMachine, newerNode, versionOf } from "./measure/machine.ts";
import { formatTable } from "./measure/table.ts";
import { measure as commands } from "./sections/commands.ts";
import { measure as fleet } from "./sections/fleet.ts";
import { measure as growth } from "./sections/growth.ts";
import { measure as keeper } from "./sections/keeper.ts";
import { measure as peers } from "./sections/peers.ts";
import { measure as running } from "./sections/running.ts";
import type { Bench, Measure, Section } from "./sections/section.ts";
import { compareGateways } from "./websocket.ts";

/** In the order of the page. */
export const SECTIONS: Readonly<Record<string, Measure>> = {
  commands,
  running,
  fleet,
  keeper,
  growth,
  lock: async ({ quick }) => [await compareLocks(quick)],
  gateway: async ({ quick, nodes }) => {
    const sections: Section[] = [];
    for (const node of nodes) sections.push(await compareGateways(node, quick));
    return sections;
  },
  peers,
};

/** The options of the overview. */
export interface OverviewOptions {
  /** Under a minute: smaller homes, fewer runs, this Node alone. */
  readonly quick: boolean;
  /** Sections to measure. @default all */
  readonly only?: readonly string[];
  /** Runs of each command that count. @default 25, quick 7 */
  readonly rounds?: number;
  /** Another Node to measure with too. @default the newest one on the PATH; none when quick */
  readonly node?: string;
}

/** Measures and returns the Markdown; minutes, unless quick. */
export async function overview({ quick, only, rounds = quick ? 7 : 25, node }: OverviewOptions): Promise<string> {
  const newer = node ?? (quick ? undefined : newerNode());
  // The same version a second time would measure the noise, and name its homes as the first one has.
  const isSame = newer !== undefined && versionOf(newer) === versionOf(process.execPath);
  const nodes = [process.execPath, ...(newer === undefined || isSame ? [] : [newer])];
  for (const other of nodes.slice(1)) writeBytecode(other);
  const parts = [
    `${describeMachine(nodes)} Each Node has the bytecode that it makes when it builds the program. Medians of ${rounds} runs of whole processes, taken in turns. The median is by the clock; the ratio is that of computing times, which hardly depend on what else the machine does, and the median of the rounds' ratios. "Runs differ by": from the tenth to the ninetieth of a hundred runs of the same thing, over their median.`,
  ];
  if (isSame) parts.push(`${newer} is the same version as this Node, and was left out.`);
  if (newer === undefined && !quick)
    parts.push("No newer Node is on this machine's PATH (as `node26` or the like), and none was named (`--node`).");
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (only !== undefined && !only.includes(name)) continue;
    const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-bench-"));
    try {
      const bench: Bench = { folder, rounds, quick, nodes };
      for (const section of await measure(bench)) parts.push(formatSection(section));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  parts.push(`Load at the end: ${currentLoad()}.`);
  return `${parts.join("\n\n")}\n`;
}

/** As a build with that Node does. */
function writeBytecode(node: string): void {
  const script = path.join(import.meta.dirname, "../../../packages/cli/bundle/write-bytecode.js");
  spawnSync(node, [script], { stdio: ["ignore", 2, 2] });
}

function formatSection({ title, note, rows }: Section): string {
  return [`### ${title}`, ...(note === "" ? [] : [note]), formatTable(rows)].join("\n\n");
}

const BEGIN = "<!-- figures: written by pnpm bench --write -->";
const END = "<!-- end of figures -->";

/** Replaces the figures in the page by `figures`. */
export function writeFigures(page: string, figures: string): void {
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`${page} has no place for figures`);
  writeFileSync(page, `${text.slice(0, begin + BEGIN.length)}\n\n${figures}\n${text.slice(end)}`);
}
