/**
 * The time until one gateway, or many at once, are ready, and until they have ended. Wall time: most of it is waiting.
 */
import path from "node:path";
import { endBareServer, startBareServer } from "../measure/bare-server.ts";
import { versionOf } from "../measure/machine.ts";
import { callOnce, withRunning } from "../measure/running-home.ts";
import { median, pairedRatio, scatter } from "../measure/statistics.ts";
import { atMost } from "../measure/table.ts";
import type { Row } from "../measure/table.ts";
import type { Bench, Section } from "./section.ts";

/** Each takes seconds. */
const ROUNDS = 5;
/** What a stop of many may take beyond the slowest of them, in milliseconds. */
const SPARE_MS = 500;

/** Measures starts and stops with each Node. */
export async function measure({ folder, quick, nodes }: Bench): Promise<readonly Section[]> {
  const count = quick ? 5 : 20;
  const sections: Section[] = [];
  for (const node of nodes) {
    await withRunning(node, path.join(folder, `fleet-${versionOf(node)}`), count, async (home) => {
      const times = await takeRounds(node, home, count, quick ? 1 : ROUNDS);
      sections.push({
        title: `One and many at once, Node ${versionOf(node)}`,
        note: "By the clock, in turns. A built-in gateway ends within milliseconds of its signal.",
        rows: rowsFor(times, count),
      });
    });
  }
  return sections;
}

interface FleetTimes {
  readonly bareStart: readonly number[];
  readonly start: readonly number[];
  readonly bareStarts: readonly number[];
  readonly up: readonly number[];
  readonly stop: readonly number[];
  readonly down: readonly number[];
}

/** From all running to all running again. */
async function takeRounds(node: string, home: string, count: number, rounds: number): Promise<FleetTimes> {
  const call = (...args: readonly string[]): number => callOnce(node, home, args).tookMs;
  const times = {
    stop: [] as number[],
    start: [] as number[],
    bareStart: [] as number[],
    down: [] as number[],
    bareStarts: [] as number[],
    up: [] as number[],
  };
  for (let round = 0; round < rounds; round += 1) {
    times.stop.push(call("stop", "r0"));
    times.start.push(call("start", "r0"));
    times.bareStart.push(await bareStarts(node, home, 1));
    times.down.push(call("down"));
    times.bareStarts.push(await bareStarts(node, home, count));
    times.up.push(call("up"));
  }
  return times;
}

function rowsFor({ bareStart, start, bareStarts: bareUp, up, stop, down }: FleetTimes, count: number): readonly Row[] {
  const over = "a stop of one";
  const beyondMs = median(down.map((value, round) => value - (stop[round] ?? Number.NaN)));
  return [
    { what: "a bare ws server, to its first answer", ...ms(bareStart), ratio: 1 },
    {
      what: "start, to ready",
      ...ms(start),
      ratio: pairedRatio(start, bareStart),
      over: "the bare server",
      target: atMost(2),
    },
    { what: `${count} bare ws servers at once, to the last answer`, ...ms(bareUp), ratio: 1 },
    {
      what: `up of ${count}`,
      ...ms(up),
      ratio: pairedRatio(up, bareUp),
      over: "the bare servers",
      target: atMost(1.5),
    },
    { what: "stop of one", ...ms(stop) },
    {
      what: `down of ${count}`,
      ...ms(down),
      over: `${over}: ${beyondMs < 0 ? "" : "+"}${beyondMs.toFixed(0)} ms`,
      target: `<= +${SPARE_MS} ms`,
    },
  ];
}

function ms(values: readonly number[]): Pick<Row, "figure" | "differed"> {
  return { figure: `${median(values).toFixed(0)} ms`, ...(values.length > 1 ? { differed: scatter(values) } : {}) };
}

/** Returns the time until `count` bare servers, started at once, have all answered. */
async function bareStarts(node: string, home: string, count: number): Promise<number> {
  const begun = performance.now();
  const servers = await Promise.all(Array.from({ length: count }, async () => startBareServer(node, home)));
  const tookMs = performance.now() - begun;
  await Promise.all(servers.map(endBareServer));
  return tookMs;
}
