/** `ports`: the plan beside what the host says, conflicts, and the next free block. */
import type { PortsReport } from "@lockkeeper/profiles";
import type { ArgumentsOf, Result } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { paintState } from "../status-table.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderTable } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["ports"]>;

export async function run(context: Context, { check }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const report = await profiles.ports();
  return { value: report, status: check && report.conflicts.length > 0 ? 1 : 0 };
}

const COLUMNS = [
  { title: "BLOCK", expendable: 0 },
  { title: "PROFILE", expendable: 0 },
  { title: "STATE", expendable: 3 },
  { title: "PORTS", expendable: 1 },
  { title: "LISTENING", expendable: 2 },
] as const;

export function render(report: PortsReport, { paint, columns, quiet }: View): string {
  const conflicts = report.conflicts.map(
    ({ kind, port, profiles, owner }) =>
      `${paint.red("conflict")} ${kind} on ${port}: ${[...profiles, ...(owner === null ? [] : [owner])].map(plainLine).join(", ")}\n`,
  );
  if (quiet) return conflicts.join("");
  const rows = report.blocks.map((block) => [
    { text: `${block.port}-${block.end}` },
    { text: block.profile },
    { text: block.state, paint: paintState(block.state, paint) },
    {
      text: Object.entries(block.ports)
        .map(([name, port]) => `${plainLine(name)} ${port}`)
        .join(", "),
    },
    { text: block.listeners.map(({ address, port }) => `${address}:${port}`).join(", ") || "-" },
  ]);
  const table = rows.length === 0 ? "" : renderTable(COLUMNS, rows, columns, paint.dim);
  const next = report.nextFree === null ? "no free block is left in the pool" : `next free block: ${report.nextFree}`;
  return `${table}${conflicts.join("")}${next}\n`;
}
