/**
 * The state of the live view, and how keys change it. Pure: a key gives the next state and, sometimes, one action, which the
 * session carries out.
 */
import type { Key } from "../terminal/key-reader.ts";

/** A profile as one line of the view. */
export interface TopRow {
  readonly name: string;
  /** One word, or {@link UNKNOWN}. */
  readonly state: string;
  readonly reason: string | null;
  readonly isCurrent: boolean;
  readonly isProtected: boolean;
  readonly ports: string;
  readonly health: string;
  readonly restarts: number | null;
  /** ISO 8601, or null when it does not run. */
  readonly startedAt: string | null;
  readonly memoryBytes: number | null;
  /** The lower one of its limits. */
  readonly memoryLimitBytes: number | null;
  /** The share of one processor; null: unknown, or not yet. */
  readonly cpuPercent: number | null;
  readonly lastLine: string;
}

/** The state of a profile that was not looked at yet. */
export const UNKNOWN = "-";

/** What a key can do to a profile. */
export type Verb = "start" | "stop" | "restart";

/** The text in the line at the bottom, and its purpose. */
export type Prompt =
  | { readonly kind: "none" }
  | { readonly kind: "filter" | "search"; readonly text: string }
  | { readonly kind: "confirm"; readonly verb: Verb; readonly name: string; readonly text: string };

/** Everything that decides what the view shows, except for time and size. */
export interface TopState {
  /** Undefined until they could be read. */
  readonly rows: readonly TopRow[] | undefined;
  /** The selected profile by name, so that it stays selected when the order changes; null in an empty list. */
  readonly selected: string | null;
  readonly filter: string;
  readonly prompt: Prompt;
  readonly showLog: boolean;
  readonly showHelp: boolean;
  /** Lines of the selected profile's log. */
  readonly log: readonly string[];
  readonly search: string;
  /** Lines that the log is scrolled back from its end; 0 follows it. */
  readonly scrolledBack: number;
  /** The last event, for the line at the bottom. */
  readonly message: { readonly text: string; readonly isError: boolean };
}

/** The action of a key. */
export type TopAction =
  | { readonly kind: "quit" }
  | { readonly kind: "suspend" }
  | { readonly kind: "act"; readonly verb: Verb; readonly name: string; readonly confirmed: boolean };

/** The effect of a key. */
export interface TopStep {
  readonly state: TopState;
  readonly action?: TopAction;
}

/** The state before the first look. */
export const INITIAL_STATE: TopState = {
  rows: undefined,
  selected: null,
  filter: "",
  prompt: { kind: "none" },
  showLog: false,
  showHelp: false,
  log: [],
  search: "",
  scrolledBack: 0,
  message: { text: "", isError: false },
};

const NO_PROMPT: Prompt = { kind: "none" };
const VERBS: Readonly<Record<string, Verb>> = { s: "start", x: "stop", r: "restart" };
/** How far a key moves; a page ends at the last row. */
const MOVES: Readonly<Record<Key, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -10,
  pagedown: 10,
  home: -Infinity,
  g: -Infinity,
  end: Infinity,
  G: Infinity,
};

/** Returns the rows that match the filter. */
export function visibleRows({ rows = [], filter }: TopState): readonly TopRow[] {
  const wanted = filter.toLowerCase();
  if (wanted === "") return rows;
  return rows.filter(({ name, state }) => name.includes(wanted) || state.startsWith(wanted));
}

/** Returns the state with new rows; the selection stays on its profile, or on its place. */
export function withRows(state: TopState, rows: readonly TopRow[]): TopState {
  return reselect({ ...state, rows }, placeOf(state));
}

/** Returns the selected row, if any. */
export function selectedRow(state: TopState): TopRow | undefined {
  return visibleRows(state).find(({ name }) => name === state.selected);
}

/** Returns the effect of a key. */
export function press(state: TopState, key: Key): TopStep {
  if (key === "ctrl-c") return { state, action: { kind: "quit" } };
  if (key === "ctrl-z") return { state, action: { kind: "suspend" } };
  if (state.prompt.kind !== "none") return pressInPrompt(state, state.prompt, key);
  if (state.showHelp) return { state: { ...state, showHelp: false } };
  const move = MOVES[key];
  if (move !== undefined) return { state: moved(state, move) };
  const verb = VERBS[key];
  if (verb !== undefined) return pressVerb(state, verb);
  switch (key) {
    case "q":
      return { state, action: { kind: "quit" } };
    case "?":
    case "h":
      return { state: { ...state, showHelp: true } };
    case "l":
    case "enter":
      return { state: { ...state, showLog: !state.showLog, log: [], scrolledBack: 0, search: "" } };
    case "/":
      return { state: { ...state, prompt: { kind: state.showLog ? "search" : "filter", text: "" } } };
    case "n":
      return { state: searched(state) };
    case "[":
      return { state: scrolled(state, 10) };
    case "]":
      return { state: scrolled(state, -10) };
    case "escape":
      return { state: reselect({ ...state, filter: "", search: "", scrolledBack: 0 }, placeOf(state)) };
    default:
      return { state };
  }
}

function pressInPrompt(state: TopState, prompt: Exclude<Prompt, { kind: "none" }>, key: Key): TopStep {
  if (key === "escape") return { state: { ...state, prompt: NO_PROMPT } };
  if (key === "enter") return finishPrompt({ ...state, prompt: NO_PROMPT }, prompt);
  const text = key === "backspace" ? prompt.text.slice(0, -1) : [...key].length === 1 ? prompt.text + key : prompt.text;
  const next: TopState = { ...state, prompt: { ...prompt, text } };
  // A filter takes effect while it is typed.
  return { state: prompt.kind === "filter" ? reselect({ ...next, filter: text }, placeOf(state)) : next };
}

function finishPrompt(state: TopState, prompt: Exclude<Prompt, { kind: "none" }>): TopStep {
  switch (prompt.kind) {
    case "filter":
      return { state };
    case "search":
      return { state: searched({ ...state, search: prompt.text, scrolledBack: 0 }) };
    case "confirm": {
      const { verb, name, text } = prompt;
      if (text === name) return { state, action: { kind: "act", verb, name, confirmed: true } };
      const said = `${name} was left alone: "${text}" is not its name`;
      return { state: { ...state, message: { text: said, isError: false } } };
    }
  }
}

function pressVerb(state: TopState, verb: Verb): TopStep {
  const row = selectedRow(state);
  if (row === undefined) return { state };
  if (row.isProtected && verb !== "start") {
    return { state: { ...state, prompt: { kind: "confirm", verb, name: row.name, text: "" } } };
  }
  return { state, action: { kind: "act", verb, name: row.name, confirmed: false } };
}

function placeOf(state: TopState): number {
  return Math.max(
    0,
    visibleRows(state).findIndex(({ name }) => name === state.selected),
  );
}

function moved(state: TopState, by: number): TopState {
  const rows = visibleRows(state);
  const place = Math.min(rows.length - 1, Math.max(0, placeOf(state) + by));
  return select(state, rows[place]?.name ?? null);
}

/** Keeps the selection on a visible row: its own profile, else the one at its place. */
function reselect(state: TopState, place: number): TopState {
  const rows = visibleRows(state);
  if (rows.some(({ name }) => name === state.selected)) return state;
  return select(state, rows[Math.min(place, rows.length - 1)]?.name ?? null);
}

function select(state: TopState, selected: string | null): TopState {
  if (selected === state.selected) return state;
  return { ...state, selected, log: [], scrolledBack: 0, search: "" };
}

function scrolled(state: TopState, by: number): TopState {
  if (!state.showLog) return state;
  return { ...state, scrolledBack: Math.max(0, Math.min(state.log.length, state.scrolledBack + by)) };
}

/** Scrolls back to the next older match; says so when there is none. */
function searched(state: TopState): TopState {
  if (state.search === "" || !state.showLog) return state;
  const before = state.log.length - 1 - state.scrolledBack - (state.scrolledBack === 0 ? 0 : 1);
  for (let line = before; line >= 0; line -= 1) {
    if (state.log[line]?.includes(state.search) === true) {
      return { ...state, scrolledBack: state.log.length - 1 - line, message: { text: "", isError: false } };
    }
  }
  return { ...state, message: { text: `no further line with "${state.search}"`, isError: false } };
}
