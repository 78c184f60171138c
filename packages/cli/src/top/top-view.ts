/** The live view as lines of text that fit a terminal of a given size. Pure. */
import { LEGEND, paintState } from "../status-table.ts";
import { cellWidth, cutToWidth, fitToWidth } from "../terminal/cell-width.ts";
import { formatDuration } from "../terminal/durations.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { formatAgainst } from "../terminal/sizes.ts";
import type { Palette } from "../terminal/view.ts";
import type { TopRow, TopState } from "./top-state.ts";
import { UNKNOWN, selectedRow, visibleRows } from "./top-state.ts";

/** One picture: the state, and where and when it is drawn. */
export interface TopFrame {
  readonly state: TopState;
  /** In milliseconds since the epoch. */
  readonly now: number;
  readonly home: string;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Palette;
}

interface Cell {
  readonly title: string;
  readonly align?: "right";
  /** Columns with the highest number are dropped first; 0 stays. */
  readonly expendable: number;
  readonly text: (row: TopRow, now: number) => string;
  readonly paint?: (row: TopRow, paint: Palette) => (text: string) => string;
}

const GAP = "  ";

/** Each state has its own shape, so that it is visible without colours too. */
const SHAPES: Readonly<Record<string, string>> = {
  running: "●",
  external: "●",
  starting: "◐",
  stopping: "◐",
  standby: "◌",
  orphaned: "◑",
  unresponsive: "▲",
  blocked: "■",
  failed: "✗",
  stopped: "○",
};

/** An unknown state is as wide as the one that it will most often be: then nothing moves when it is known. */
const UNKNOWN_STATE = UNKNOWN.padEnd("● running".length);

const CELLS: readonly Cell[] = [
  {
    title: "NAME",
    expendable: 0,
    text: ({ name, isProtected, isCurrent }) => `${name}${isProtected ? "!" : ""}${isCurrent ? "*" : ""}`,
    paint: ({ isProtected }, paint) => (isProtected ? paint.red : String),
  },
  {
    title: "STATE",
    expendable: 0,
    text: ({ state }) => (state === UNKNOWN ? UNKNOWN_STATE : `${SHAPES[state] ?? "?"} ${state}`),
    paint: ({ state }, paint) => paintState(state as Parameters<typeof paintState>[0], paint),
  },
  { title: "PORTS", expendable: 3, text: ({ ports }) => ports },
  {
    title: "HEALTH",
    expendable: 2,
    text: ({ health, startedAt }) => (startedAt === null ? "-" : health),
    paint: ({ health }, paint) =>
      health.startsWith("ok") ? paint.green : health.startsWith("failing") ? paint.red : String,
  },
  {
    title: "UPTIME",
    align: "right",
    expendable: 4,
    text: ({ startedAt }, now) => (startedAt === null ? "-" : formatDuration(now - Date.parse(startedAt))),
  },
  {
    title: "RESTARTS",
    align: "right",
    expendable: 5,
    text: ({ restarts }) => (restarts === null ? "-" : String(restarts)),
    paint: ({ restarts }, paint) => ((restarts ?? 0) > 0 ? paint.yellow : String),
  },
  {
    title: "MEMORY",
    align: "right",
    expendable: 6,
    text: ({ memoryBytes, memoryLimitBytes }) =>
      memoryBytes === null ? "-" : formatAgainst(memoryBytes, memoryLimitBytes),
    paint: ({ memoryBytes, memoryLimitBytes }, paint) =>
      memoryBytes !== null && memoryLimitBytes !== null && memoryBytes > memoryLimitBytes ? paint.red : String,
  },
  {
    title: "CPU",
    align: "right",
    expendable: 7,
    text: ({ cpuPercent }) => (cpuPercent === null ? "-" : `${cpuPercent.toFixed(cpuPercent < 10 ? 1 : 0)}%`),
  },
];

/** The text of the last column: why it does not run, else its last output. */
const NARROWEST_LAST = 12;

/** A shorter name would not show which profile it is. */
const NARROWEST_NAME = 4;

const KEYS = "q quit  s start  x stop  r restart  l log  / filter  ? keys";
const LOG_KEYS = "l close log  / search  n next  [ ] scroll  q quit  ? keys";

const HELP: readonly string[] = [
  "up down j k      select a profile        home end   the first, the last",
  "s x r            start, stop, restart the selected profile",
  "                 a protected one asks for its name first",
  "l or enter       open and close its log",
  "[ ]              scroll the log; escape goes back to its end",
  "/                filter by name or state; in the log: search, n goes on",
  "escape           clear filter and search",
  "ctrl-z           back to the shell for a while (fg returns)",
  "q or ctrl-c      quit; nothing is stopped",
  "",
  "● runs  ◐ on its way  ◌ waits for a lease  ◑ has lost its keeper",
  "▲ does not answer  ■ its port is taken  ✗ gave up  ○ stopped",
  LEGEND,
];

/** Returns the lines of the screen, at most `rows`, each at most `columns` wide. */
export function renderTop(frame: TopFrame): readonly string[] {
  const { state, columns, rows, paint } = frame;
  if (columns < 1 || rows < 1) return [];
  const body = Math.max(0, rows - 2);
  const content = state.showHelp ? helpLines(columns, paint) : contentLines(frame, body);
  const lines = [headLine(frame), ...content.slice(0, body)];
  while (lines.length < rows - 1) lines.push("");
  if (rows > 1) lines.push(footLine(frame));
  return lines;
}

function headLine({ state, now, home, columns, paint }: TopFrame): string {
  const time = new Date(now).toTimeString().slice(0, 5);
  const filter = state.filter === "" ? "" : `  filter: ${state.filter}`;
  const left = `lockkeeper ${home}  ${summaryOf(state.rows)}${filter}`;
  const room = columns - time.length - GAP.length;
  if (room < 10) return paint.bold(cutToWidth(left, columns));
  return `${paint.bold(fitToWidth(left, room))}${GAP}${paint.dim(time)}`;
}

/** How many profiles are in which state; nothing before they could be read. */
function summaryOf(rows: readonly TopRow[] | undefined): string {
  if (rows === undefined) return "";
  if (rows.length === 0) return "no profiles";
  const counts = new Map<string, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  if (counts.get(UNKNOWN) === rows.length) return `${rows.length} ${rows.length === 1 ? "profile" : "profiles"}`;
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}

function footLine({ state, columns, paint }: TopFrame): string {
  const { prompt, message } = state;
  switch (prompt.kind) {
    case "filter":
    case "search":
      return cutToWidth(`/${plainLine(prompt.text)}`, columns);
    case "confirm":
      return paint.red(
        cutToWidth(
          `${prompt.name} is PROTECTED. Type its name to ${prompt.verb} it: ${plainLine(prompt.text)}`,
          columns,
        ),
      );
    case "none":
      break;
  }
  if (message.text !== "") return (message.isError ? paint.red : String)(cutToWidth(plainLine(message.text), columns));
  return paint.dim(cutToWidth(state.showLog ? LOG_KEYS : KEYS, columns));
}

function helpLines(columns: number, paint: Palette): readonly string[] {
  return [
    "",
    ...HELP.map((line) => cutToWidth(line, columns)),
    "",
    paint.dim(cutToWidth("any key goes back", columns)),
  ];
}

function contentLines(frame: TopFrame, height: number): readonly string[] {
  if (!frame.state.showLog) return tableLines(frame, height);
  // The table keeps a third, and its title and two rows at least.
  const table = Math.min(Math.max(3, Math.floor(height / 3)), visibleRows(frame.state).length + 1);
  return [...tableLines(frame, table), ...logLines(frame, height - table)];
}

function tableLines({ state, now, columns, paint }: TopFrame, height: number): readonly string[] {
  if (state.rows === undefined) return [];
  const rows = visibleRows(state);
  if (rows.length === 0) {
    const empty = state.rows.length === 0 ? "No profiles yet. Make one with: lockkeeper up dev" : "No profile matches.";
    return ["", cutToWidth(empty, columns)];
  }
  const place = Math.max(
    0,
    rows.findIndex(({ name }) => name === state.selected),
  );
  const shownCount = Math.max(1, height - 1);
  // The selected row is always in view, in the middle where there is more than a screen.
  const first = Math.max(0, Math.min(rows.length - shownCount, place - Math.floor(shownCount / 2)));
  const shown = rows.slice(first, first + shownCount);
  const { cells, widths, last } = layOut(shown, now, columns);

  const line = (texts: readonly string[], decorate: (index: number) => (text: string) => string): string =>
    cells
      .map((cell, index) => decorate(index)(fitToWidth(texts[index] ?? "", widths[index] ?? 0, cell.align)))
      .join(GAP);
  const titles = line(
    cells.map(({ title }) => title),
    () => paint.dim,
  );
  const lines = [last > 0 ? `${titles}${GAP}${paint.dim(cutToWidth("REASON OR LAST LINE", last))}` : titles];
  for (const row of shown) {
    const texts = cells.map((cell) => cell.text(row, now));
    const isSelected = row.name === state.selected;
    const text = line(texts, (index) => (isSelected ? String : (cells[index]?.paint?.(row, paint) ?? String)));
    const tail = last > 0 ? `${GAP}${cutToWidth(plainLine(row.reason ?? row.lastLine), last)}` : "";
    lines.push(isSelected ? inverse(text + tail, columns, paint) : text + (tail === "" ? "" : paint.dim(tail)));
  }
  return lines;
}

/** Chooses the columns that fit; `last` is the width of the last one, 0 for none. */
function layOut(
  rows: readonly TopRow[],
  now: number,
  columns: number,
): { readonly cells: readonly Cell[]; readonly widths: readonly number[]; readonly last: number } {
  let cells = CELLS;
  const widthOf = (cell: Cell): number =>
    Math.max(cellWidth(cell.title), ...rows.map((row) => cellWidth(cell.text(row, now))));
  const total = (): number => cells.reduce((sum, cell) => sum + widthOf(cell) + GAP.length, -GAP.length);
  while (total() > columns) {
    const worst = Math.max(...cells.map(({ expendable }) => expendable));
    if (worst === 0) break;
    cells = cells.filter(({ expendable }) => expendable !== worst);
  }
  const widths = cells.map(widthOf);
  // Name and state alone may still be too wide: first the name is cut, in the end the state too.
  const excess = total() - columns;
  if (excess > 0 && (widths[0] ?? 0) - excess < NARROWEST_NAME) {
    return { cells: cells.slice(0, 1), widths: [columns], last: 0 };
  }
  if (excess > 0) widths[0] = (widths[0] ?? 0) - excess;
  const left = columns - total() - GAP.length;
  return { cells, widths, last: left >= NARROWEST_LAST ? left : 0 };
}

function logLines({ state, columns, paint }: TopFrame, height: number): readonly string[] {
  if (height < 1) return [];
  const row = selectedRow(state);
  const where = state.scrolledBack > 0 ? `, ${state.scrolledBack} lines back` : "";
  const rule = ` log of ${row?.name ?? "-"}${where} `;
  const title = paint.dim(cutToWidth(`──${rule}${"─".repeat(Math.max(0, columns - cellWidth(rule) - 2))}`, columns));
  const end = state.log.length - state.scrolledBack;
  const lines = state.log.slice(Math.max(0, end - (height - 1)), end);
  if (lines.length === 0) return [title, paint.dim(cutToWidth("nothing was printed yet", columns))];
  return [
    title,
    ...lines.map((line) => {
      const text = cutToWidth(plainLine(line), columns);
      return state.search !== "" && line.includes(state.search) ? paint.yellow(text) : text;
    }),
  ];
}

/** The selected line: inverse where there are colours, else marked at its front. */
function inverse(text: string, columns: number, paint: Palette): string {
  const line = fitToWidth(text, columns);
  return paint.bold("x") === "x" ? `>${line.slice(0, -1)}` : `\u001B[7m${line}\u001B[27m`;
}
