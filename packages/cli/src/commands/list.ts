/** `list`: every profile in a table, once or again whenever something changes. */
import { setTimeout as delay } from "node:timers/promises";
import { LockkeeperError } from "@lockkeeper/core";
import type { ListOptions, ProfileStatus, Profiles } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { renderStatusTable } from "../status-table.ts";
import { textLifeMs } from "../terminal/durations.ts";
import type { TerminalDevice } from "../terminal/terminal-device.ts";
import type { View } from "../terminal/view.ts";
import { jsonText, plainOutput } from "../terminal/plain-text.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["list"]>;

interface Shown {
  readonly statuses: readonly ProfileStatus[];
  readonly wide: boolean;
}

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const probe = !given.noProbe && !given.quiet;
  const usage = given.wide || (context.json && !given.watch);
  const look = (): Promise<readonly ProfileStatus[]> => listed(profiles, { probe, usage }, given.names);
  if (given.watch) return watch(context, profiles, { look, probe, names: given.names, wide: given.wide });
  let statuses: readonly ProfileStatus[];
  try {
    statuses = await look();
  } catch (error) {
    if (!isRegistryFault(error)) throw error;
    const known = await listed(profiles, { probe, usage, known: true }, given.names);
    const shown: Shown = { statuses: known, wide: given.wide };
    // Not at the top: a list that goes well reads no file of the program for it.
    const { statusOfError } = await import("../exit-status.ts");
    // The warning has said what is wrong; with --json only an error may stand on stderr.
    const failures = context.json ? [{ name: null, error }] : [];
    return { value: known, shown, failures, status: statusOfError(error) };
  }
  const notes = statuses.length === 0 && given.names.length === 0 ? [emptyNote(profiles)] : [];
  const shown: Shown = { statuses, wide: given.wide };
  return { value: statuses, shown, notes };
}

/** Whether the error may be the registry's: what is known without it is shown, and the error stays one. */
function isRegistryFault(error: unknown): boolean {
  return (
    error instanceof LockkeeperError && ["REGISTRY_DAMAGED", "PERMISSION_DENIED", "IO_FAILED"].includes(error.code)
  );
}

/** All profiles, or those that were named: an unknown name is an error, as everywhere. */
async function listed(
  profiles: Profiles,
  options: ListOptions,
  words: readonly string[],
): Promise<readonly ProfileStatus[]> {
  if (words.length === 0) return profiles.list(options);
  const names = await profiles.match(words, { known: options.known });
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
  readonly probe: boolean;
  readonly names: readonly string[];
  readonly wide: boolean;
}

/** Yields the profiles, and again after each change. A registry that cannot be read any more ends it. */
async function* watched(
  profiles: Profiles,
  { look, probe, names, wide }: Watched,
  signal: AbortSignal,
): AsyncGenerator<readonly ProfileStatus[], void> {
  for await (const { statuses, fault } of profiles.watch({ probe, signal })) {
    if (fault !== null) throw fault;
    // The watch knows neither memory nor patterns.
    yield wide || names.length > 0 ? await look() : statuses;
  }
}

async function watch(context: Context, profiles: Profiles, request: Watched): Promise<Result> {
  const terminal = context.json || context.view.quiet ? undefined : context.world.terminal();
  if (terminal !== undefined) return watchOnScreen(context, profiles, request, terminal);
  const { stdout, interruption } = context.world;
  let before = "";
  for await (const statuses of watched(profiles, request, interruption().stop)) {
    // Uptime and memory change all the time and alone are no news.
    const news = JSON.stringify(statuses.map((status) => ({ ...status, uptimeMs: null, memoryBytes: null })));
    if (news !== before) {
      const text = plainOutput(renderStatusTable(statuses, context.view, request.wide) || `${emptyNote(profiles)}\n`);
      const separated = before === "" ? text : `\n${text}`;
      stdout.write(context.json ? `${jsonText(statuses)}\n` : separated);
    }
    before = news;
  }
  return { value: undefined };
}

/** The table on a screen of its own: what was on the terminal comes back, and `q` ends it as Ctrl-C does. */
async function watchOnScreen(
  { world, view }: Context,
  profiles: Profiles,
  request: Watched,
  terminal: TerminalDevice,
): Promise<Result> {
  const { openScreen } = await import("../terminal/screen.ts");
  const done = new AbortController();
  const ended = AbortSignal.any([world.interruption().stop, done.signal]);
  let statuses: readonly ProfileStatus[] | undefined;
  const draw = (): void => {
    const { columns, rows } = screen.size();
    const now = new Date();
    const head = view.paint.bold(`${profiles.home}  ${now.toTimeString().slice(0, 5)}  q quits`.slice(0, columns));
    if (statuses === undefined) return screen.draw([head]);
    const present = statuses.map((status) => ({ ...status, uptimeMs: uptimeAt(status, now) }));
    const table = plainOutput(
      renderStatusTable(present, { ...view, columns }, request.wide) || `${emptyNote(profiles)}\n`,
    );
    const lines = table.trimEnd().split("\n");
    const room = Math.max(1, rows - 2);
    const hidden = lines.length - room;
    const shown = hidden > 0 ? [...lines.slice(0, room - 1), `... ${hidden + 1} more: use a taller window`] : lines;
    screen.draw([head, ...shown]);
  };
  const screen = openScreen(
    terminal,
    (key) => {
      if (key === "q" || key === "ctrl-c") done.abort();
      if (key === "ctrl-z") void screen.suspend();
    },
    draw,
  );
  const keepTime = async (): Promise<void> => {
    while (!ended.aborted) {
      const life = textLifeMs(
        (statuses ?? []).map(({ startedAt }) => startedAt),
        Date.now(),
      );
      await delay(life, undefined, { signal: ended }).catch(() => undefined);
      if (request.wide && !ended.aborted) statuses = await request.look();
      if (!ended.aborted) draw();
    }
  };
  try {
    draw();
    const changes = (async (): Promise<void> => {
      for await (const present of watched(profiles, request, ended)) {
        statuses = present;
        draw();
      }
    })();
    await Promise.race([changes, keepTime()]);
  } finally {
    done.abort();
    screen.close();
  }
  return { value: undefined };
}

function uptimeAt({ startedAt }: ProfileStatus, now: Date): number | null {
  return startedAt === null ? null : Math.max(0, now.getTime() - Date.parse(startedAt));
}
