/** `list`: every profile in a table, once or again whenever something changes. */
import { setTimeout as delay } from "node:timers/promises";
import type { ProfileStatus, Profiles } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { renderStatusTable } from "../status-table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["list"]>;

/** Between two looks of `--watch`, in milliseconds. */
const WATCH_MS = 1_000;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const probe = !given.noProbe && !given.quiet;
  if (given.watch) return watch(context, profiles, probe);
  const statuses = await profiles.list({ probe });
  return { value: statuses, notes: statuses.length === 0 ? [emptyNote(profiles)] : [] };
}

export function render(statuses: readonly ProfileStatus[], view: View): string {
  return renderStatusTable(statuses, view);
}

function emptyNote({ home }: Profiles): string {
  return `No profiles in ${home}. Make one with: lockkeeper up dev`;
}

async function watch(context: Context, profiles: Profiles, probe: boolean): Promise<Result> {
  const { stdout, interruption } = context.world;
  const { stop } = interruption();
  const redraw = stdout.isTerminal && !context.json;
  let before = "";
  while (!stop.aborted) {
    const statuses = await profiles.list({ probe });
    // How long a gateway has been up changes at every look and alone is no news.
    const news = JSON.stringify(redraw ? statuses : statuses.map((status) => ({ ...status, uptimeMs: null })));
    if (news !== before) {
      const text = renderStatusTable(statuses, context.view) || `${emptyNote(profiles)}\n`;
      const separated = before === "" ? text : `\n${text}`;
      if (context.json) stdout.write(`${JSON.stringify(statuses)}\n`);
      else stdout.write(redraw ? `\u001B[H\u001B[2J${text}` : separated);
    }
    before = news;
    await delay(WATCH_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return { value: undefined };
}
