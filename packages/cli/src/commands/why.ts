/** `why`: the last state changes of a profile as one story, oldest first. */
import path from "node:path";
import { readHistory } from "@lockkeeper/core";
import type { HistoryEvent } from "@lockkeeper/core";
import type { LeaseStatus, ProfileStatus } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { describeLease } from "../lease-text.ts";
import { paintState } from "../status-table.ts";
import { chooseTarget } from "../targets.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["why"]>;

interface Story {
  readonly name: string;
  readonly state: ProfileStatus["state"];
  readonly reason: string | null;
  readonly lease: LeaseStatus | null;
  readonly events: readonly HistoryEvent[];
}

const DEFAULT_LINES = 20;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const { state, reason, lease, paths } = await profiles.status(name);
  const events = readHistory(path.join(paths.logs, "events.jsonl")).slice(-(given.lines ?? DEFAULT_LINES));
  const story: Story = { name, state, reason, lease, events };
  return { value: story };
}

export function render({ name, state, reason, lease, events }: Story, { paint }: View): string {
  const now = paintState(state, paint)(state);
  const owned = lease === null ? "" : `  lease ${describeLease(lease)}\n`;
  const title = `${paint.bold(name)} is ${now}${reason === null ? "" : `: ${plainLine(reason)}`}\n${owned}`;
  if (events.length === 0) return `${title}  nothing has happened to it yet\n`;
  return title + events.map((event) => `  ${renderEvent(event, paint)}\n`).join("");
}

function renderEvent({ at, state, reason, pid, exit, restarts }: HistoryEvent, paint: View["paint"]): string {
  const facts: string[] = [];
  if (reason !== null) facts.push(plainLine(reason));
  if (exit !== null) facts.push(`the gateway ended with ${exit.signal ?? `code ${exit.code ?? "unknown"}`}`);
  if (pid !== null) facts.push(`pid ${pid}`);
  if (restarts > 0) facts.push(`restart ${restarts}`);
  return `${paint.dim(plainLine(at))}  ${paintState(state, paint)(state.padEnd(12))}  ${facts.join("; ")}`.trimEnd();
}
