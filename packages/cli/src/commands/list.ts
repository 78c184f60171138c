/** `list`: every profile in a table, once or again whenever something changes. */
import { setTimeout as delay } from "node:timers/promises";
import type { ListOptions, ProfileStatus, Profiles } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { renderStatusTable } from "../status-table.ts";
import type { TerminalDevice } from "../terminal/terminal-device.ts";
import type { View } from "../terminal/view.ts";
import { jsonText, plainOutput } from "../terminal/plain-text.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["list"]>;

interface Shown {
  readonly statuses: readonly ProfileStatus[];
  readonly wide: boolean;
}

/** Pause between two reads of `--watch`. */
const WATCH_MS = 1_000;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const probe = !given.noProbe && !given.quiet;
  const usage = given.wide || (context.json && !given.watch);
  const look = (): Promise<readonly ProfileStatus[]> => listed(profiles, { probe, usage }, given.names);
  if (given.watch) return watch(context, profiles, { look, wide: given.wide });
  const statuses = await look();
  const notes = statuses.length === 0 && given.names.length === 0 ? [emptyNote(profiles)] : [];
  const shown: Shown = { statuses, wide: given.wide };
  return { value: statuses, shown, notes };
}

/** All profiles, or those that were named: an unknown name is an error, as everywhere. */
async function listed(
  profiles: Profiles,
  options: ListOptions,
  words: readonly string[],
): Promise<readonly ProfileStatus[]> {
  if (words.length === 0) return profiles.list(options);
  const names = await profiles.match(words);
  const statuses = new Map((await profiles.list(options)).map((status) => [status.name, status]));
  return Promise.all(names.map(async (name) => statuses.get(name) ?? profiles.find(name)));
}

export function render({ statuses, wide }: Shown, view: View): string {
  return renderStatusTable(statuses, view, wide);
}

function emptyNote({ home }: Profiles): string {
  return `No profiles in ${home}. Make one with: lockkeeper up dev`;
}

interface Watched {
  readonly look: () => Promise<readonly ProfileStatus[]>;
  readonly wide: boolean;
}

async function watch(context: Context, profiles: Profiles, { look, wide }: Watched): Promise<Result> {
  const terminal = context.json || context.view.quiet ? undefined : context.world.terminal();
  if (terminal !== undefined) return watchOnScreen(context, profiles, { look, wide }, terminal);
  const { stdout, interruption } = context.world;
  const { stop } = interruption();
  let before = "";
  while (!stop.aborted) {
    const statuses = await look();
    // Uptime and memory change all the time and alone are no news.
    const news = JSON.stringify(statuses.map((status) => ({ ...status, uptimeMs: null, memoryBytes: null })));
    if (news !== before) {
      const text = plainOutput(renderStatusTable(statuses, context.view, wide) || `${emptyNote(profiles)}\n`);
      const separated = before === "" ? text : `\n${text}`;
      if (context.json)
        stdout.write(`${jsonText(statuses)}
`);
      else stdout.write(separated);
    }
    before = news;
    await delay(WATCH_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return { value: undefined };
}

/** The table on a screen of its own: what was on the terminal comes back, and `q` ends it as Ctrl-C does. */
async function watchOnScreen(
  { world, view }: Context,
  profiles: Profiles,
  { look, wide }: Watched,
  terminal: TerminalDevice,
): Promise<Result> {
  const { openScreen } = await import("../terminal/screen.ts");
  const done = new AbortController();
  const ended = AbortSignal.any([world.interruption().stop, done.signal]);
  let statuses: readonly ProfileStatus[] = [];
  const draw = (): void => {
    const { columns, rows } = screen.size();
    const table = plainOutput(renderStatusTable(statuses, { ...view, columns }, wide) || `${emptyNote(profiles)}\n`);
    const lines = table.trimEnd().split("\n");
    const room = Math.max(1, rows - 2);
    const hidden = lines.length - room;
    const shown = hidden > 0 ? [...lines.slice(0, room - 1), `... ${hidden + 1} more: use a taller window`] : lines;
    const time = new Date().toTimeString().slice(0, 8);
    screen.draw([view.paint.bold(`${profiles.home}  ${time}  q quits`.slice(0, columns)), ...shown]);
  };
  const screen = openScreen(
    terminal,
    (key) => {
      if (key === "q" || key === "ctrl-c") done.abort();
      if (key === "ctrl-z") void screen.suspend();
    },
    draw,
  );
  try {
    while (!ended.aborted) {
      statuses = await look();
      draw();
      await delay(WATCH_MS, undefined, { signal: ended }).catch(() => undefined);
    }
  } finally {
    screen.close();
  }
  return { value: undefined };
}
