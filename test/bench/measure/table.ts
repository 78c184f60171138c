/** The figures as Markdown. Pure. */
import { median, pairedRatio, scatter } from "./statistics.ts";
import type { Contestant, Sample, Times } from "./turns.ts";

/** One line of the table. Undefined: not measured, or no target. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly ratio?: number | undefined;
  /** The ratio of wall times; the other ratio is of computing times. */
  readonly wallRatio?: number | undefined;
  readonly over?: string | undefined;
  /** The target as text: `<= 1.10`. */
  readonly target?: string | undefined;
  readonly differed?: number | undefined;
}

/** Returns the rows of runs that were taken in turns, divided by those of `floor`. */
export function rowsOf(contestants: readonly Contestant[], times: Times, floor: string): readonly Row[] {
  const floors = times.get(floor) ?? [];
  return contestants.map(({ title, target }) => {
    const samples = times.get(title) ?? [];
    return {
      what: title,
      figure: `${median(samples.map(wall)).toFixed(0)} ms`,
      ratio: pairedRatio(samples.map(computing), floors.map(computing)),
      wallRatio: pairedRatio(samples.map(wall), floors.map(wall)),
      over: title === floor ? "" : floor,
      target: target === undefined ? undefined : atMost(target),
      differed: scatter(samples.map(computing)),
    };
  });
}

/** Formats a greatest allowed ratio as a target. */
export function atMost(ratio: number): string {
  return `<= ${ratio.toFixed(2)}`;
}

/** Formats a least allowed ratio as a target. */
export function atLeast(ratio: number): string {
  return `>= ${ratio.toFixed(2)}`;
}

const wall = ({ wallMs }: Sample): number => wallMs;
const computing = ({ computingMs }: Sample): number => computingMs;

/** Returns the table: a head and one line for each row. */
export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map(({ what, figure, ratio, wallRatio, over = "", target = "", differed }) => {
    const cells = [
      what,
      figure,
      ratio === undefined ? "" : ratio.toFixed(2),
      wallRatio === undefined ? "" : wallRatio.toFixed(2),
      over,
      target,
      differed === undefined ? "" : `${(differed * 100).toFixed(0)} %`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| what | median | ratio | by the clock | over | target | runs differ by |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
