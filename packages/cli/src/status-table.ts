/** The table of profiles that `list` and `up` print, and the colour of a state wherever one is shown. Pure. */
import { shellCommand } from "@lockkeeper/core";
import type { ProfileStatus } from "@lockkeeper/profiles";
import { describeOwner } from "./lease-text.ts";
import { formatDuration } from "./terminal/durations.ts";
import { renderTable } from "./terminal/table.ts";
import type { Column } from "./terminal/table.ts";
import { plainLine } from "./terminal/plain-text.ts";
import { formatAgainst, lowestLimit } from "./terminal/sizes.ts";
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

/** States whose reason belongs into the row: somebody has to do something. */
const NEEDS_SOMEBODY: ReadonlySet<ProfileStatus["state"]> = new Set(["failed", "blocked", "unresponsive", "orphaned"]);

/** What the marks in front of a name mean. */
export const LEGEND = "* current  ! protected";

/**
 * Returns the table; with `quiet` the names, one a line; "" for no profiles.
 *
 * @param wide with memory, command and reason of each.
 */
export function renderStatusTable(
  statuses: readonly ProfileStatus[],
  { paint, isColoured, columns: width, quiet }: View,
  wide = false,
): string {
  if (quiet) return statuses.map(({ name }) => `${name}\n`).join("");
  if (statuses.length === 0) return "";
  const coloured = (paintOf: (status: ProfileStatus) => (text: string) => string): Column["paint"] =>
    isColoured ? (cell, row) => paintOf(statuses[row] as ProfileStatus)(cell) : undefined;
  const isLeased = statuses.some(({ lease }) => lease !== null);
  const tellsWhy = wide || statuses.some(({ state, reason }) => reason !== null && NEEDS_SOMEBODY.has(state));
  // What is given up first has the highest number. The marks stay: which profile is protected must always be seen.
  const columns: readonly Column[] = [
    {
      title: "CURRENT",
      shortTitle: "",
      expendable: 0,
      paint: coloured((status) => (status.protected ? paint.red : paint.bold)),
    },
    {
      title: "NAME",
      expendable: 0,
      cuts: [
        { rank: 7.5, to: 20 },
        { rank: 5.5, to: 14 },
        { rank: 0, to: 6 },
      ],
      paint: coloured(({ current }) => (current ? paint.bold : String)),
    },
    { title: "STATE", expendable: 0, paint: coloured(({ state }) => paintState(state, paint)) },
    { title: "KIND", expendable: 8 },
    { title: "PORTS", expendable: 2 },
    { title: "PID", expendable: 7, align: "right" },
    { title: "UPTIME", expendable: 6, align: "right" },
    {
      title: "RESTARTS",
      expendable: 5,
      align: "right",
      paint: coloured(({ restarts }) => (restarts > 0 ? paint.yellow : String)),
    },
    { title: "HEALTH", expendable: 4, paint: coloured(({ health }) => paintHealth(health, paint)) },
    ...(wide ? [{ title: "MEMORY", expendable: 9, align: "right" } as const] : []),
    { title: "URL", expendable: 10 },
    ...(isLeased ? [{ title: "OWNER", expendable: 4 }] : []),
    ...(wide ? [{ title: "COMMAND", expendable: 9, cuts: [{ rank: 11, to: 16 }] }] : []),
    ...(tellsWhy
      ? [
          {
            title: "REASON",
            expendable: 1,
            cuts: [
              { rank: 12, to: 24 },
              { rank: 6.5, to: 14 },
              { rank: 3, to: 8 },
            ],
          },
        ]
      : []),
  ];
  const rows = statuses.map((status) => [
    (status.current ? "*" : "") + (status.protected ? "!" : ""),
    status.name,
    status.state,
    status.kind,
    `${status.port}-${status.port + status.span - 1}`,
    status.pid === null ? "-" : String(status.pid),
    status.uptimeMs === null ? "-" : formatDuration(status.uptimeMs),
    // Of a profile that was stopped in order nobody asks how often it fell before.
    status.state === "stopped" ? "-" : String(status.restarts),
    describeHealth(status),
    ...(wide ? [memoryText(status)] : []),
    plainLine(status.url),
    ...(isLeased ? [describeOwner(status.lease)] : []),
    ...(wide ? [status.command === null ? "-" : plainLine(shellCommand(...status.command))] : []),
    ...(tellsWhy ? [wide || NEEDS_SOMEBODY.has(status.state) ? plainLine(status.reason ?? "") : ""] : []),
  ]);
  const table = renderTable(columns, rows, width, paint.dim);
  const hasMarks = statuses.some((status) => status.current || status.protected);
  // For people: a pipe gets rows alone.
  return hasMarks && width !== Infinity ? `${table}${paint.dim(LEGEND.slice(0, width))}\n` : table;
}

/** Returns the health (`-` where nothing runs), and what was asked where that says less than it seems: a port that opens may belong to a program that hangs. */
export function describeHealth({
  health,
  healthCheck,
  pid,
  startedAt,
}: Pick<ProfileStatus, "health" | "healthCheck" | "pid" | "startedAt">): string {
  // Of a gateway that runs in another container no process is seen, but its health can be asked.
  if (pid === null && startedAt === null) return "-";
  if (healthCheck === "none") return "not asked";
  return healthCheck === "tcp" || healthCheck === "http" ? `${health} (${healthCheck})` : health;
}

function paintHealth(health: ProfileStatus["health"], paint: Palette): (text: string) => string {
  if (health === "ok") return paint.green;
  return health === "failing" ? paint.red : String;
}

function memoryText({ memoryBytes, memoryRestartBytes, memoryMaxBytes }: ProfileStatus): string {
  return memoryBytes === null ? "-" : formatAgainst(memoryBytes, lowestLimit(memoryRestartBytes, memoryMaxBytes));
}
