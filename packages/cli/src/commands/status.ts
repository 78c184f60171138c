/** `status`: one profile in full, asked live; the exit status tells its state. */
import { describeSpared, shellCommand } from "@lockkeeper/core/internal";
import { formatDurationMs, formatSizeBytes } from "@lockkeeper/profiles";
import type { ProfileDetail } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { statusOfState } from "../exit-status.ts";
import { describeLease } from "../lease-text.ts";
import { describeHealth, paintState } from "../status-table.ts";
import { chooseTarget } from "../targets.ts";
import { formatDuration } from "../terminal/durations.ts";
import { outputText, plainLine } from "../terminal/plain-text.ts";
import { formatSize } from "../terminal/sizes.ts";
import { formatAgo, formatMoment } from "../terminal/moments.ts";
import type { View } from "../terminal/view.ts";
import { wrapBehind } from "../terminal/wrap.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["status"]>;

interface Shown {
  readonly detail: ProfileDetail;
  /** In milliseconds since the epoch. */
  readonly now: number;
}

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const name = await chooseTarget(context, profiles, given.name, given.profile);
  const detail = await profiles.status(name);
  const shown: Shown = { detail, now: Date.now() };
  // Its last lines are often the end of a stack; the story has them from the first one.
  const isTold = detail.state === "failed" || detail.state === "blocked" || (detail.restarts ?? 0) > 0;
  const notes = isTold ? [`What happened: ${shellCommand("lockkeeper", "why", name)}`] : [];
  const status = given.here && !runsHere(detail) ? STOPPED : statusOfState(detail.state);
  return { value: detail, shown, status, notes };
}

/** What another container runs has neither a keeper nor a gateway that can be named here. */
function runsHere({ keeperPid, pid }: ProfileDetail): boolean {
  return keeperPid !== null || pid !== null;
}

const STOPPED = statusOfState("stopped");

export function render({ detail, now }: Shown, { paint, quiet, columns }: View): string {
  if (quiet) return `${detail.state}\n`;
  const { state, reason, uptimeMs, paths, lastExit } = detail;
  const marks = [detail.current ? "current" : "", detail.protected ? "protected" : ""].filter((mark) => mark !== "");
  const rows: [string, string][] = [
    ["state", `${paintState(state, paint)(state)}${reason === null ? "" : `: ${plainLine(reason)}`}`],
    ["health", describeHealth(detail)],
    ["url", plainLine(detail.url)],
    ["kind", detail.kind],
    ...(detail.command === null ? [] : [["runs", plainLine(shellCommand(...detail.command))] as [string, string]]),
    ["in", plainLine(detail.cwd)],
    [
      "env",
      plainLine([...detail.envNames, ...(detail.envFile === null ? [] : [`file ${detail.envFile}`])].join(", ") || "-"),
    ],
    ["block", `${detail.port}-${detail.port + detail.span - 1}`],
    [
      "ports",
      Object.entries(detail.ports)
        .map(([name, port]) => `${plainLine(name)} ${port}`)
        .join(", "),
    ],
    [
      "gateway",
      detail.pid === null ? "-" : `pid ${detail.pid}${uptimeMs === null ? "" : `, up ${formatDuration(uptimeMs)}`}`,
    ],
    ["keeper", detail.keeperPid === null ? "-" : `pid ${detail.keeperPid}`],
    ...(detail.unit === null ? [] : [["kept by", `${plainLine(detail.unit)} (${detail.manager})`] as [string, string]]),
    ["lock", lockRow(detail.lock)],
    ...(detail.lease === null ? [] : [["lease", describeLease(detail.lease)] as [string, string]]),
    ["listeners", detail.listeners.map(({ address, port }) => `${address} ${port}`).join(", ") || "-"],
    ...memoryRow(detail),
    ...(detail.restartUnresponsiveMs === null
      ? []
      : [["hangs", `restarted after ${formatDurationMs(detail.restartUnresponsiveMs)}`] as [string, string]]),
    ...hookRow(detail),
    ["restarts", String(detail.restarts)],
    [
      "last exit",
      lastExit === null
        ? "-"
        : plainLine(
            `${lastExit.signal ?? `code ${lastExit.code ?? "unknown"}`}, ${formatAgo(lastExit.at, now)} (${formatMoment(lastExit.at, now)})`,
          ),
    ],
    ...sparedRow(detail),
    ["config", plainLine(paths.config)],
    ["state dir", plainLine(paths.state)],
    ["logs", plainLine(paths.logs)],
    ["created", plainLine(`${formatAgo(detail.createdAt, now)} (${formatMoment(detail.createdAt, now)})`)],
  ];
  for (const note of detail.limitNotes) rows.push(["warning", plainLine(note)]);
  if (detail.pendingChange) rows.push(["pending", "it was edited since; the change acts from its next start on"]);
  if (detail.lastOutput.length > 0)
    rows.push(["printed", detail.lastOutput.map(outputText).join(`\n  ${" ".repeat(11)}`)]);
  const title = `${paint.bold(detail.name)}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}\n`;
  return (
    title + rows.map(([label, text]) => `  ${paint.dim(label.padEnd(10))} ${wrapBehind(text, 13, columns)}\n`).join("")
  );
}

/** Its use of memory, and its limits. */
function memoryRow({
  memoryBytes,
  memoryRestartBytes,
  memoryMaxBytes,
  memoryMaxBy,
}: ProfileDetail): [string, string][] {
  const facts = [
    ...(memoryBytes === null ? [] : [formatSize(memoryBytes)]),
    ...(memoryRestartBytes === null ? [] : [`restarted above ${formatSizeBytes(memoryRestartBytes)}`]),
    ...(memoryMaxBytes === null || memoryMaxBy === null
      ? []
      : [`at most ${formatSizeBytes(memoryMaxBytes)} (${memoryMaxBy})`]),
  ];
  return facts.length === 0 ? [] : [["memory", facts.join(", ")]];
}

/** What is in the place of a lock and is none is the answer to the question why it is unknown. */
function lockRow({ verdict, path, reason }: ProfileDetail["lock"]): string {
  return plainLine(`${verdict}, ${path}${verdict === "unknown" ? `: ${reason}` : ""}`);
}

function hookRow({ hooks }: ProfileDetail): [string, string][] {
  const told = Object.entries(hooks).map(([event, target]) => `${event} ${target}`);
  return told.length === 0 ? [] : [["hooks", plainLine(told.join(", "))]];
}

/** Only where there is something: most profiles never leave a process alone. */
function sparedRow({ spared }: ProfileDetail): [string, string][] {
  return spared.length === 0 ? [] : [["left alone", plainLine(describeSpared(spared))]];
}
