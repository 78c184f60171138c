/** `ports`: the plan beside what the host says, conflicts, and the next free block. */
import type { PortsReport } from "@lockkeeper/profiles";
import type { ArgumentsOf, Result } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { paintState } from "../status-table.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderTable } from "../terminal/table.ts";
import type { Column } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["ports"]>;

export async function run(context: Context, { check }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const report = await profiles.ports();
  return { value: report, status: check && report.conflicts.length > 0 ? 1 : 0 };
}

export function render(report: PortsReport, { paint, columns: width, quiet }: View): string {
  const conflicts = report.conflicts.map(({ kind, port, profiles, owner }) => {
    const sides = [...profiles, ...(owner === null ? [] : [owner])].map(plainLine).join(" and ");
    return `${paint.red("conflict:")} ${kind} on port ${port}: ${sides}\n`;
  });
  if (quiet) return conflicts.join("");
  const { blocks } = report;
  const columns: readonly Column[] = [
    { title: "BLOCK", expendable: 0 },
    { title: "PROFILE", expendable: 0 },
    { title: "STATE", expendable: 3, paint: (text, row) => paintState(blocks[row]?.state ?? "stopped", paint)(text) },
    { title: "PORTS", expendable: 1 },
    { title: "LISTENING", expendable: 2 },
  ];
  const rows = blocks.map((block) => [
    `${block.port}-${block.end}`,
    block.profile,
    block.state,
    block.ranges.map(describeRange).join(", "),
    block.listeners.map(describeListener).join(", ") || "-",
  ]);
  const table = rows.length === 0 ? "" : renderTable(columns, rows, width, paint.dim);
  const next = report.nextFree === null ? "no free block is left in the pool" : `next free block: ${report.nextFree}`;
  return `${table}${conflicts.join("")}${next}\n`;
}

type Block = PortsReport["blocks"][number];

function describeRange({ label, first, last }: Block["ranges"][number]): string {
  return `${plainLine(label)} ${first === last ? first : `${first}-${last}`}`;
}

function describeListener({ address, port, pid, verdict }: Block["listeners"][number]): string {
  const place = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (verdict === "own") return place;
  return `${place} (${verdict}, ${pid === null ? "owner not visible" : `pid ${pid}`})`;
}
