/** Renders torture reports as a table with the statistical strength of every zero. Pure. */
import type { TortureReport } from "./torture.ts";
import { percentile } from "./witness.ts";

/** Returns one row for each report, then what a person needs to repeat and judge them. */
export function formatReports(reports: readonly TortureReport[]): string {
  const header = [
    "lock",
    "owners",
    "kills r/s",
    "stops",
    "deleted",
    "overlaps",
    "port",
    "wedges",
    "reclaim p50/p99 ms",
    "s",
  ];
  const rows = reports.map((report) => [
    report.world === "one" ? report.adapter : `${report.adapter}, ${report.world}`,
    String(report.owners),
    `${report.randomKills}/${report.stepKills}`,
    String(report.stops),
    String(report.deletions),
    String(report.overlaps),
    String(report.portClashes),
    String(report.wedges),
    `${milliseconds(percentile(report.reclaimMs, 0.5))} / ${milliseconds(percentile(report.reclaimMs, 0.99))}`,
    report.seconds.toFixed(0),
  ]);
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const table = [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...table, "", ...reports.flatMap(explain)].join("\n");
}

function explain(report: TortureReport): string[] {
  const lines = [
    `${report.adapter}: seed ${report.seed}, ${report.pidNamespaces} pid namespace(s), world ${report.world}; ${strength(report)}`,
  ];
  for (const example of report.examples) lines.push(`  ${example}`);
  for (const [text, count] of report.errors) lines.push(`  ${count} x ${text}`);
  return lines;
}

/** The rule of three: with none in n, the true rate is below 3/n at 95 % confidence. */
function strength({ owners, overlaps }: TortureReport): string {
  if (owners === 0) return "nobody ever owned it";
  if (overlaps > 0) return `${((100 * overlaps) / owners).toFixed(2)} % of the owners overlapped`;
  return `no overlap in ${owners} owners: fewer than 1 in ${Math.floor(owners / 3)} at 95 %`;
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(1);
}
