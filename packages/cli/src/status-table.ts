/** The table of profiles that `list` and `up` print, and the colour of a state wherever one is shown. Pure. */
import { shellCommand } from "@lockkeeper/core/internal";
import type { ProfileStatus } from "@lockkeeper/profiles";
import { describeOwner } from "./lease-text.ts";
import { formatDuration } from "./terminal/durations.ts";
import { renderTable } from "./terminal/table.ts";
import type { Column } from "./terminal/table.ts";
import { plainLine } from "./terminal/plain-text.ts";
import { formatAgainst, lowestLimit } from "./terminal/sizes.ts";
import type { Palette, View } from "./terminal/view.ts";

/** Returns the decoration of a state: green runs, yellow is in progress or in doubt, red needs attention. */
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

/** States whose reason is shown in the row, because a person must act. */
const NEEDS_SOMEBODY: ReadonlySet<ProfileStatus["state"]> = new Set(["failed", "blocked", "unresponsive", "orphaned"]);

/** The meanings of the marks in front of a name. */
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
  // The highest number is dropped first. The marks stay, so that a protected profile can always be seen.
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
  const rows = statuses.map((status) => {
    const { state, port } = status;
    const row = [
      marksOf(status),
      status.name,
      state,
      status.kind,
      `${port}-${port + status.span - 1}`,
      status.pid === null ? "-" : String(status.pid),
      status.uptimeMs === null ? "-" : formatDuration(status.uptimeMs),
      // For a profile that was stopped on request, earlier crashes do not matter.
      state === "stopped" ? "-" : String(status.restarts),
      describeHealth(status),
      // In its place at once: a list that grows by one cell takes three times the memory.
      wide ? memoryText(status) : plainLine(status.url),
    ];
    if (wide) row.push(plainLine(status.url));
    if (isLeased) row.push(describeOwner(status.lease));
    if (wide) row.push(status.command === null ? "-" : plainLine(shellCommand(...status.command)));
    if (tellsWhy) row.push(wide || NEEDS_SOMEBODY.has(state) ? plainLine(status.reason ?? "") : "");
    return row;
  });
  const table = renderTable(columns, rows, width, paint.dim);
  const hasMarks = statuses.some((status) => status.current || status.protected);
  // Only for people: a pipe gets just the rows.
  return hasMarks && width !== Infinity ? `${table}${paint.dim(LEGEND.slice(0, width))}\n` : table;
}

function marksOf({ current, protected: isProtected }: ProfileStatus): string {
  if (current) return isProtected ? "*!" : "*";
  return isProtected ? "!" : "";
}

/**
 * Returns the health (`-` when nothing runs), with the kind of check when it proves little: an open port may belong to a
 * program that hangs.
 */
export function describeHealth({
  health,
  healthCheck,
  pid,
  startedAt,
}: Pick<ProfileStatus, "health" | "healthCheck" | "pid" | "startedAt">): string {
  // The processes of a gateway in another container are invisible, but its health can be asked.
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
