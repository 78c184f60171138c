/** `why`: what happened to a profile: a summary, what it printed before it last ended, then its last state changes, oldest first. */
import { readLastAttempt } from "@lockkeeper/core/internal";
import type { HistoryEvent } from "@lockkeeper/core";
import { gatewayLogPath } from "@lockkeeper/profiles";
import type { LeaseStatus, Profiles, ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { describeLease } from "../lease-text.ts";
import { paintState } from "../status-table.ts";
import { chooseTarget } from "../targets.ts";
import { formatSize } from "../terminal/sizes.ts";
import { plainLine, plainText } from "../terminal/plain-text.ts";
import { formatAgo, formatMoment } from "../terminal/moments.ts";
import type { View } from "../terminal/view.ts";
import { wrapBehind } from "../terminal/wrap.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["why"]>;

interface Story {
  readonly name: string;
  readonly state: ProfileStatus["state"];
  readonly reason: string | null;
  readonly lease: LeaseStatus | null;
  readonly events: readonly HistoryEvent[];
  /** The output of the latest ended gateway process; null when none of these events is an end. */
  readonly output: LastOutput | null;
  /** The last lines of a process that lives and is not well, without colours and secrets; null for any other. */
  readonly lastLines: readonly string[] | null;
}

interface Shown extends Story {
  /** In milliseconds since the epoch. */
  readonly now: number;
}

interface LastOutput {
  /** Without colours and secrets; the middle of a long output is left out. */
  readonly lines: readonly string[];
  readonly printed: number;
}

const DEFAULT_LINES = 20;
/** Enough for a stack of Node and the message in front of it. */
const LAST_LINES = 15;
/** The length of the longest word for a state. */
const STATE_WIDTH = 12;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const { state, reason, lease, paths, health, pid } = await profiles.status(name);
  const events = (await profiles.history(name)).slice(-(given.lines ?? DEFAULT_LINES));
  const last = events.findLast(({ exit }) => exit !== null);
  const output =
    last === undefined ? null : (last.output ?? (await outputInLog(profiles, name, gatewayLogPath(paths))));
  const story: Story = {
    name,
    state,
    reason,
    lease,
    events,
    output,
    // A wrapper such as `node --watch` outlives the program in it.
    lastLines:
      pid !== null && (health === "failing" || state === "unresponsive") ? await lastLines(profiles, name) : null,
  };
  const shown: Shown = { ...story, now: Date.now() };
  return { value: story, shown };
}

async function lastLines(profiles: Profiles, name: string): Promise<readonly string[]> {
  const { lines } = await profiles.log(name, { lines: LAST_LINES });
  return profiles.shownOutput(
    name,
    lines.map(({ text }) => text),
  );
}

/** An older keeper, or one with a full disk, kept no output with the end; then the log is read. */
async function outputInLog(profiles: Profiles, name: string, file: string): Promise<LastOutput> {
  const { lines, printed } = await readLastAttempt(file, { ended: true });
  return { lines: await profiles.shownOutput(name, lines), printed };
}

export function render(
  { name, state, reason, lease, events, output, lastLines: printed, now }: Shown,
  view: View,
): string {
  const { paint, columns } = view;
  const word = `${name} is ${state}`;
  const told = wrapBehind(`${word}${reason === null ? "" : `: ${plainLine(reason)}`}`, 2, columns);
  const owned = lease === null ? "" : `  lease ${describeLease(lease)}\n`;
  const present =
    printed === null ? "" : `  it runs, but does not answer; it printed last:\n${linesText(printed, view)}`;
  const painted = `${paint.bold(name)} is ${paintState(state, paint)(state)}`;
  const title = `${told.startsWith(word) ? painted + told.slice(word.length) : told}\n${owned}${present}`;
  if (events.length === 0) return `${title}  nothing has happened to it yet\n`;
  const last = events.findLast(({ exit }) => exit !== null);
  const summary =
    last === undefined ? "" : `  ${summarize(events, last, now, view)}\n${renderOutput(last, output, view)}`;
  const width = Math.max(...events.map(({ at }) => formatMoment(plainLine(at), now).length));
  const story = events
    // The output of the last end is above; for earlier ones one line is enough.
    .map((event) => {
      const line = event === last ? "" : renderOutput(event, tellingLineOf(event), view);
      return renderEvent(event, now, width, view) + line;
    })
    .join("");
  return `${title}${summary}${summary === "" ? "" : "\n"}${story}`;
}

function tellingLineOf({ output }: HistoryEvent): LastOutput | null {
  if (output === undefined || output.lines.length === 0) return null;
  const telling = output.lines.findLast((line) => TELLING.test(line));
  return { ...output, lines: telling === undefined ? output.lines.slice(-1) : [telling] };
}

/** A line that says what went wrong, and no line of a stack: `Error: ...`, `panic: ...`, `bind: permission denied`. */
const TELLING = /^(?!\s+at\s).*(?:\b(?:\w*error|\w*exception|panic|fatal|abort(?:ed)?|denied|refused|failed)\b)/i;

/** An unrequested end. */
function isCrash({ state, exit }: HistoryEvent): boolean {
  return exit !== null && state !== "stopped" && state !== "stopping";
}

function summarize(events: readonly HistoryEvent[], last: HistoryEvent, now: number, { paint, columns }: View): string {
  const crashes = events.filter(isCrash);
  const end = `${formatAgo(last.at, now)}: ${describeExit(last.exit)}`;
  if (crashes.length === 0) return `it last ended ${end}`;
  const lately = crashes.filter(({ at }) => now - Date.parse(at) <= LATELY_MS);
  const shown = lately.length > 0 ? lately : crashes;
  const often = shown.length === 1 ? "once" : shown.length === 2 ? "twice" : `${shown.length} times`;
  const when = lately.length > 0 ? " in the last hour" : "";
  const grave = `ended by itself ${often}${when}`;
  const text = wrapBehind(`${grave}; last end ${end}`, 2, columns);
  return text.startsWith(grave) ? paint.red(grave) + text.slice(grave.length) : text;
}

/** Crashes within this time are counted. */
const LATELY_MS = 3_600_000;

function describeExit(exit: HistoryEvent["exit"]): string {
  return exit === null ? "unknown" : plainLine(exit.signal ?? `exit code ${exit.code ?? "unknown"}`);
}

function renderOutput({ exit }: HistoryEvent, output: LastOutput | null, view: View): string {
  if (output === null) return "";
  const silent =
    exit?.code === 0
      ? "it printed nothing: a gateway has no standard input, and a program that reads it finds its end at once"
      : "it printed nothing";
  const lines = output.printed === 0 ? [silent] : output.lines;
  return linesText(lines, view);
}

function linesText(lines: readonly string[], { paint, columns }: View): string {
  return lines.map((line) => `    ${paint.dim("|")} ${wrapBehind(plainText(line), 6, columns)}\n`).join("");
}

function renderEvent(event: HistoryEvent, now: number, width: number, { paint, columns }: View): string {
  const { at, state, reason, pid, exit, restarts, memoryBytes, note } = event;
  const facts: string[] = [];
  if (reason !== null) facts.push(plainLine(reason));
  // The reason of an end says how it ended, and which crash it was.
  if (exit !== null && reason === null) facts.push(`ended with ${describeExit(exit)}`);
  if (memoryBytes !== undefined) facts.push(`it took ${formatSize(memoryBytes)}`);
  if (pid !== null) facts.push(`pid ${pid}`);
  if (restarts > 0 && exit === null) facts.push(`restart ${restarts}`);
  const time = `${formatMoment(plainLine(at), now).padEnd(width)}  ${formatAgo(at, now).padStart(10)}`;
  // A hook's message is not a change of state.
  const word = note === true ? "" : isCrash(event) && state === "starting" ? "crashed" : state;
  const colour = isCrash(event) ? paint.red : paintState(state, paint);
  const margin = 2 + time.length + 2 + STATE_WIDTH + 2;
  return (
    `  ${paint.dim(time)}  ${colour(word.padEnd(STATE_WIDTH))}  ${wrapBehind(facts.join("; "), margin, columns)}`.trimEnd() +
    "\n"
  );
}
