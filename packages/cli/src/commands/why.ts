/** `why`: the last state changes of a profile as one story, oldest first, and what it printed before it last ended. */
import path from "node:path";
import { readHistory, readLastAttempt } from "@lockkeeper/core";
import type { HistoryEvent } from "@lockkeeper/core";
import type { LeaseStatus, ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { describeLease } from "../lease-text.ts";
import { paintState } from "../status-table.ts";
import { chooseTarget } from "../targets.ts";
import { formatSize } from "../terminal/sizes.ts";
import { plainLine, plainText } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["why"]>;

interface Story {
  readonly name: string;
  readonly state: ProfileStatus["state"];
  readonly reason: string | null;
  readonly lease: LeaseStatus | null;
  readonly events: readonly HistoryEvent[];
  /** Of the latest gateway process that has ended; null when none of these events is an end. */
  readonly output: LastOutput | null;
}

interface LastOutput {
  /** Without colours; the middle of a long output is left out. */
  readonly lines: readonly string[];
  readonly printed: number;
}

const DEFAULT_LINES = 20;
/** Of the longest word for a state. */
const STATE_WIDTH = 12;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const { state, reason, lease, paths } = await profiles.status(name);
  const events = readHistory(path.join(paths.logs, "events.jsonl")).slice(-(given.lines ?? DEFAULT_LINES));
  const output = await outputOf(
    events.findLast(({ exit }) => exit !== null),
    path.join(paths.logs, "gateway.log"),
  );
  const story: Story = {
    name,
    state,
    reason,
    lease,
    events,
    output,
  };
  return { value: story };
}

/** As its keeper kept it, without secrets; an older keeper kept nothing, and then the log tells. */
async function outputOf(end: HistoryEvent | undefined, log: string): Promise<LastOutput | null> {
  if (end === undefined) return null;
  if (end.output !== undefined) return end.output;
  const { lines, printed } = await readLastAttempt(log, { ended: true });
  return { lines, printed };
}

export function render({ name, state, reason, lease, events, output }: Story, { paint }: View): string {
  const now = paintState(state, paint)(state);
  const owned = lease === null ? "" : `  lease ${describeLease(lease)}\n`;
  const title = `${paint.bold(name)} is ${now}${reason === null ? "" : `: ${plainLine(reason)}`}\n${owned}`;
  if (events.length === 0) return `${title}  nothing has happened to it yet\n`;
  const last = events.findLast(({ exit }) => exit !== null);
  return (
    title +
    events
      .map(
        (event) =>
          `  ${renderEvent(event, paint)}\n${renderOutput(event, event === last ? output : lastLineOf(event), paint)}`,
      )
      .join("")
  );
}

/** Of earlier ends the last line will do. */
function lastLineOf({ output }: HistoryEvent): LastOutput | null {
  return output === undefined || output.lines.length === 0 ? null : { ...output, lines: output.lines.slice(-1) };
}

/** Below the event of its end. */
function renderOutput({ exit }: HistoryEvent, output: LastOutput | null, paint: View["paint"]): string {
  if (output === null) return "";
  const silent =
    exit?.code === 0
      ? "it printed nothing: a gateway has no standard input, and a program that reads it finds its end at once"
      : "it printed nothing";
  const lines = output.printed === 0 ? [silent] : output.lines;
  return lines.map((line) => `    ${paint.dim("|")} ${plainText(line)}\n`).join("");
}

function renderEvent(
  { at, state, reason, pid, exit, restarts, memoryBytes, note }: HistoryEvent,
  paint: View["paint"],
): string {
  const facts: string[] = [];
  if (reason !== null) facts.push(plainLine(reason));
  if (note === true) return `${paint.dim(plainLine(at))}  ${" ".repeat(STATE_WIDTH)}  ${facts.join("")}`;
  if (exit !== null) facts.push(`the gateway ended with ${exit.signal ?? `code ${exit.code ?? "unknown"}`}`);
  if (memoryBytes !== undefined) facts.push(`it took ${formatSize(memoryBytes)}`);
  if (pid !== null) facts.push(`pid ${pid}`);
  if (restarts > 0) facts.push(`restart ${restarts}`);
  return `${paint.dim(plainLine(at))}  ${paintState(state, paint)(state.padEnd(STATE_WIDTH))}  ${facts.join("; ")}`.trimEnd();
}
