/** `logs`: what the gateways printed, of several profiles at once if asked, and what they go on to print. */
import path from "node:path";
import { followLog, readLog } from "@lockkeeper/core";
import type { Profiles } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { plainText } from "../terminal/plain-text.ts";
import type { Palette, View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["logs"]>;

interface ProfileLog {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Without a limit or a time: enough to see what is going on. */
const DEFAULT_LINES = 100;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const { names } = await chooseTargets(context, profiles, given);
  const lines = given.lines ?? (given.since === undefined ? DEFAULT_LINES : undefined);
  const logs: (ProfileLog & { readonly file: string; readonly end: number })[] = [];
  for (const name of names) {
    const file = path.join(await logFolder(profiles, name), "gateway.log");
    logs.push({ name, file, ...(await readLog(file, { lines, sinceMs: given.since })) });
  }
  if (!given.follow) return { value: logs.map((log): ProfileLog => ({ name: log.name, lines: log.lines })) };

  const { world, json, view } = context;
  const { stop } = world.interruption();
  const say = ({ name, lines: news }: ProfileLog): void => {
    if (json) for (const line of news) world.stdout.write(`${JSON.stringify({ name, line })}\n`);
    else world.stdout.write(renderLines(name, news, names, view.paint));
  };
  await Promise.all(
    logs.map(async (log) => {
      say(log);
      for await (const line of followLog(log.file, { from: log.end, signal: stop }))
        say({ name: log.name, lines: [line] });
    }),
  );
  return { value: undefined };
}

export function render(logs: readonly ProfileLog[], { paint }: View): string {
  const names = logs.map(({ name }) => name);
  return logs.map(({ name, lines }) => renderLines(name, lines, names, paint)).join("");
}

/** A prefix only where lines of several profiles mix; each profile keeps its colour. */
function renderLines(name: string, lines: readonly string[], names: readonly string[], paint: Palette): string {
  const colours = [paint.cyan, paint.yellow, paint.green, paint.red] as const;
  const colour = colours[names.indexOf(name) % colours.length] ?? paint.cyan;
  const width = Math.max(...names.map((one) => one.length));
  const prefix = names.length > 1 ? `${colour(`${name.padEnd(width)} |`)} ` : "";
  return lines.map((line) => `${prefix}${plainText(line)}\n`).join("");
}

/** Found without asking the gateway for its health: logs are read when that is what is wrong. */
async function logFolder(profiles: Profiles, name: string): Promise<string> {
  const listed = (await profiles.list({ probe: false })).find((status) => status.name === name);
  return (listed ?? (await profiles.status(name))).paths.logs;
}
