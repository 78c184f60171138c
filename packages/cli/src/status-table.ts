/** The table of profiles that `list` and `up` print, and the colour of a state wherever one is shown. Pure. */
import type { ProfileStatus } from "@lockkeeper/profiles";
import { formatDuration } from "./terminal/durations.ts";
import { renderTable } from "./terminal/table.ts";
import type { Cell, Column } from "./terminal/table.ts";
import type { Palette, View } from "./terminal/view.ts";

const COLUMNS: readonly Column[] = [
  { title: "CURRENT", expendable: 3 },
  { title: "NAME", expendable: 0 },
  { title: "STATE", expendable: 0 },
  { title: "KIND", expendable: 6 },
  { title: "PORTS", expendable: 2 },
  { title: "PID", expendable: 5, align: "right" },
  { title: "UPTIME", expendable: 7, align: "right" },
  { title: "HEALTH", expendable: 4 },
  { title: "URL", expendable: 1 },
];

/** Returns the decoration of a state: green runs, yellow is on its way or in doubt, red needs somebody. */
export function paintState(state: ProfileStatus["state"], paint: Palette): (text: string) => string {
  switch (state) {
    case "running":
    case "external":
      return paint.green;
    case "starting":
    case "stopping":
    case "orphaned":
      return paint.yellow;
    case "blocked":
    case "failed":
    case "unresponsive":
      return paint.red;
    case "stopped":
      return paint.dim;
  }
}

/** Returns the table; with `quiet` the names, one a line; "" for no profiles. */
export function renderStatusTable(statuses: readonly ProfileStatus[], { paint, columns, quiet }: View): string {
  if (quiet) return statuses.map(({ name }) => `${name}\n`).join("");
  if (statuses.length === 0) return "";
  const rows: Cell[][] = [];
  for (const status of statuses) {
    const { state, health } = status;
    rows.push([
      { text: (status.current ? "*" : "") + (status.protected ? "!" : "") },
      { text: status.name, paint: status.current ? paint.bold : undefined },
      { text: state, paint: paintState(state, paint) },
      { text: status.kind },
      { text: `${status.port}-${status.port + status.span - 1}` },
      { text: status.pid === null ? "-" : String(status.pid) },
      { text: status.uptimeMs === null ? "-" : formatDuration(status.uptimeMs) },
      {
        text: status.pid === null ? "-" : health,
        paint: health === "ok" ? paint.green : health === "failing" ? paint.red : undefined,
      },
      { text: status.url },
    ]);
  }
  return renderTable(COLUMNS, rows, columns, paint.dim);
}
