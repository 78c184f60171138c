/** The table of profiles that `list` and `up` print, and the colour of a state wherever one is shown. Pure. */
import type { ProfileStatus } from "@lockkeeper/profiles";
import { describeOwner } from "./lease-text.ts";
import { formatDuration } from "./terminal/durations.ts";
import { renderTable } from "./terminal/table.ts";
import type { Column } from "./terminal/table.ts";
import { plainLine } from "./terminal/plain-text.ts";
import type { Palette, View } from "./terminal/view.ts";

/** Returns the decoration of a state: green runs, yellow is on its way or in doubt, red needs somebody. */
export function paintState(state: ProfileStatus["state"], paint: Palette): (text: string) => string {
  switch (state) {
    case "running":
    case "external":
      return paint.green;
    case "standby":
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
export function renderStatusTable(
  statuses: readonly ProfileStatus[],
  { paint, isColoured, columns: width, quiet }: View,
): string {
  if (quiet) return statuses.map(({ name }) => `${name}\n`).join("");
  if (statuses.length === 0) return "";
  const coloured = (paintOf: (status: ProfileStatus) => (text: string) => string): Column["paint"] =>
    isColoured ? (cell, row) => paintOf(statuses[row] as ProfileStatus)(cell) : undefined;
  const isLeased = statuses.some(({ lease }) => lease !== null);
  const columns: readonly Column[] = [
    { title: "CURRENT", expendable: 3 },
    { title: "NAME", expendable: 0, paint: coloured(({ current }) => (current ? paint.bold : String)) },
    { title: "STATE", expendable: 0, paint: coloured(({ state }) => paintState(state, paint)) },
    { title: "KIND", expendable: 6 },
    { title: "PORTS", expendable: 2 },
    { title: "PID", expendable: 5, align: "right" },
    { title: "UPTIME", expendable: 7, align: "right" },
    { title: "HEALTH", expendable: 4, paint: coloured(({ health }) => paintHealth(health, paint)) },
    { title: "URL", expendable: 1 },
    ...(isLeased ? [{ title: "OWNER", expendable: 4 }] : []),
  ];
  const rows = statuses.map((status) => [
    (status.current ? "*" : "") + (status.protected ? "!" : ""),
    status.name,
    status.state,
    status.kind,
    `${status.port}-${status.port + status.span - 1}`,
    status.pid === null ? "-" : String(status.pid),
    status.uptimeMs === null ? "-" : formatDuration(status.uptimeMs),
    status.pid === null ? "-" : status.health,
    plainLine(status.url),
    ...(isLeased ? [describeOwner(status.lease)] : []),
  ]);
  return renderTable(columns, rows, width, paint.dim);
}

function paintHealth(health: ProfileStatus["health"], paint: Palette): (text: string) => string {
  if (health === "ok") return paint.green;
  return health === "failing" ? paint.red : String;
}
