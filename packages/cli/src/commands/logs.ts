/** `logs`: prints the output of gateways, merged by time for several profiles, and follows it. */
import { LockkeeperError } from "@lockkeeper/core";
import { parseLogNote } from "@lockkeeper/core/internal";
import type { LogLine } from "@lockkeeper/core";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { jsonText, outputText } from "../terminal/plain-text.ts";
import type { Palette, View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["logs"]>;

interface ProfileLog {
  readonly name: string;
  readonly lines: readonly string[];
  /** The time of each line, ISO 8601, or null when unknown. */
  readonly times: readonly (string | null)[];
}

interface Shown {
  readonly logs: readonly ProfileLog[];
  readonly withTimes: boolean;
}

/** The default number of lines: enough to see what is going on. */
const DEFAULT_LINES = 100;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const { names } = await chooseTargets(context, profiles, given);
  const matches = conditionOf(given);
  const lines = given.lines ?? (given.since === undefined ? DEFAULT_LINES : undefined);
  const logs: (ProfileLog & { readonly end: number })[] = [];
  for (const name of names) {
    const excerpt = await profiles.log(name, { lines, sinceMs: given.since, matches });
    logs.push({ name, end: excerpt.end, ...textsAndTimes(excerpt.lines) });
  }
  const plain = logs.map(({ name, lines: texts, times }): ProfileLog => ({ name, lines: texts, times }));
  if (!given.follow) {
    const shown: Shown = { logs: plain, withTimes: given.timestamps };
    return { value: context.json ? plain : shown };
  }

  const { world, json, view } = context;
  const { stop } = world.interruption();
  const say = (news: readonly ProfileLog[]): void => {
    if (!json) {
      world.stdout.write(renderLogs({ logs: news, withTimes: given.timestamps }, names, view.paint));
      return;
    }
    for (const { name, lines: texts, times } of news)
      for (const [index, line] of texts.entries())
        world.stdout.write(`${jsonText({ name, line, at: times[index] ?? null })}\n`);
  };
  say(plain);
  await Promise.all(
    logs.map(async (log) => {
      for await (const line of profiles.followLog(log.name, { from: log.end, signal: stop })) {
        if (matches?.(line) === false) continue;
        say([{ name: log.name, lines: [line], times: [new Date().toISOString()] }]);
      }
    }),
  );
  return { value: undefined };
}

/** Pure. */
export function render(shown: Shown, { paint }: View): string {
  return renderLogs(
    shown,
    shown.logs.map(({ name }) => name),
    paint,
  );
}

/**
 * A prefix only where lines of several profiles mix, and each profile keeps its colour. Lines are sorted by time; a line
 * without a time stays after the line before it, and lines of one profile keep their order.
 */
function renderLogs({ logs, withTimes }: Shown, names: readonly string[], paint: Palette): string {
  const colours = [paint.cyan, paint.yellow, paint.green, paint.red] as const;
  const width = Math.max(...names.map((one) => one.length));
  const entries = logs.flatMap(({ name, lines, times }) => {
    let latest = "";
    const colour = colours[names.indexOf(name) % colours.length] ?? paint.cyan;
    const prefix = names.length > 1 ? `${colour(`${name.padEnd(width)} |`)} ` : "";
    return lines.map((line, index) => {
      const at = times[index] ?? null;
      if (at !== null && at > latest) latest = at;
      const time = withTimes ? `${paint.dim((at ?? "-").padEnd(ISO_LENGTH))} ` : "";
      const text = outputText(line);
      return { order: latest, text: `${prefix}${time}${parseLogNote(line) === undefined ? text : paint.dim(text)}\n` };
    });
  });
  if (logs.length > 1) entries.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
  return entries.map(({ text }) => text).join("");
}

const ISO_LENGTH = 24;

function textsAndTimes(lines: readonly LogLine[]): Pick<ProfileLog, "lines" | "times"> {
  return {
    lines: lines.map(({ text }) => text),
    times: lines.map(({ atMs }) => (atMs === null ? null : new Date(atMs).toISOString())),
  };
}

/** Colours are ignored in a search: `error` is found in red text too. */
function conditionOf({ grep, regex }: Arguments): ((text: string) => boolean) | undefined {
  if (grep !== undefined && regex !== undefined) {
    throw new LockkeeperError("USAGE", "--grep and --regex contradict each other", { hint: "Give one or the other." });
  }
  if (grep !== undefined) return (text) => outputText(text).includes(grep);
  if (regex === undefined) return undefined;
  const pattern = parsePattern(regex);
  return (text) => pattern.test(outputText(text));
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (error) {
    throw new LockkeeperError("USAGE", `--regex: not a regular expression: ${JSON.stringify(text)}`, {
      cause: error,
      hint: "It is read as JavaScript reads it; --grep searches for the text as it is.",
    });
  }
}
