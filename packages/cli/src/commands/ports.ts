/** `ports`: compares the plan with the host, and shows conflicts and the next free block; or explains one port. */
import type { PortExplanation, PortsReport, Profiles, Reservation, ReservationChange } from "@lockkeeper/profiles";
import { LockkeeperError } from "@lockkeeper/core";
import { describeHolder, shellCommand } from "@lockkeeper/core/internal";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { paintState } from "../status-table.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderPortRuler } from "../terminal/port-ruler.ts";
import type { Ports, Ruler, RulerBlock } from "../terminal/port-ruler.ts";
import { renderTable } from "../terminal/table.ts";
import type { Column } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";
import { wrapBehind } from "../terminal/wrap.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["ports"]>;

/** The part for one profile: its block and its conflicts. */
interface OwnReport extends PortsReport {
  readonly profile: string;
}

/** A check that has found nothing: one line is enough. */
interface Fine {
  readonly fine: PortsReport | OwnReport;
}

/** The requested answer: the audit, one port, or the next block. */
type Answer = Fine | PortsReport | OwnReport | PortExplanation | { readonly nextFree: number | null } | Kept;

/** The result of reserving or releasing ports. */
type Kept = ReservationChange & { readonly action: "reserve" | "release" };

export async function run(context: Context, given: Arguments): Promise<Result> {
  const { name, check, explainPort, next, span, range, note, wide } = given;
  if (range !== undefined) return keep(context, name, range, note);
  const questions = [name, explainPort, next || undefined].filter((each) => each !== undefined);
  if (questions.length > 1 || (span !== undefined && !next) || note !== undefined) {
    throw new LockkeeperError("USAGE", "ports answers one question: a name, --explain, or --next (with --span)", {
      hint: "lockkeeper ports --help",
    });
  }
  const profiles = await context.openProfiles();
  if (explainPort !== undefined) return { value: await profiles.explainPort(explainPort) };
  if (next) {
    const block = await profiles.nextFreeBlock(span);
    return { value: { nextFree: block?.first ?? null }, status: block === null ? 1 : 0 };
  }
  const report = await profiles.ports();
  const value = name === undefined ? report : await only(name, report, profiles);
  const isFine = check && value.conflicts.length === 0;
  return { value, status: check && !isFine ? 1 : 0, ...(isFine && !wide && { shown: { fine: value } }) };
}

async function keep(
  context: Context,
  action: string | undefined,
  range: string,
  note: string | undefined,
): Promise<Result> {
  if (action !== "reserve" && action !== "release") {
    throw new LockkeeperError("USAGE", `ports: reserve or release ${range}?`, {
      hint: shellCommand("lockkeeper", "ports", "reserve", range, "--note", "postgres"),
    });
  }
  const profiles = await context.openProfiles();
  const change =
    action === "reserve" ? await profiles.reservePorts(range, note ?? "") : await profiles.releasePorts(range);
  const value: Kept = { action, ...change };
  return { value };
}

/** An unknown name gets its own error. */
async function only(name: string, report: PortsReport, profiles: Profiles): Promise<OwnReport> {
  const blocks = report.blocks.filter(({ profile }) => profile === name);
  if (blocks.length === 0 && (name === "reserve" || name === "release")) {
    throw new LockkeeperError("USAGE", `ports ${name}: which ports?`, {
      hint: shellCommand("lockkeeper", "ports", name, "5432"),
    });
  }
  if (blocks.length === 0) await profiles.find(name);
  const conflicts = report.conflicts.filter(({ profiles: sides }) => sides.includes(name));
  return { ...report, profile: name, blocks, conflicts };
}

export function render(answer: Answer, view: View): string {
  if ("fine" in answer) return view.quiet ? "" : renderFine(answer.fine);
  if ("blocks" in answer) return renderAudit(answer, view);
  if ("action" in answer) return renderKept(answer, view);
  if ("bind" in answer) return renderExplanation(answer, view);
  return answer.nextFree === null ? "" : `${answer.nextFree}\n`;
}

function renderFine({ blocks, sockets }: PortsReport): string {
  const ports = blocks.reduce((sum, { port, end }) => sum + end - port + 1, 0);
  const subject = `${ports} ${ports === 1 ? "port" : "ports"} of ${blocks.length} ${blocks.length === 1 ? "profile" : "profiles"}`;
  // Blocks that do not overlap are all that can be checked then.
  if (sockets === "unknown") return `${subject}: no overlap; who listens is unknown on this system\n`;
  return blocks.length === 0 ? "no profiles, so no conflicts\n" : `${subject}: no conflicts\n`;
}

function renderKept({ action, changed, reservations }: Kept, { paint, quiet }: View): string {
  if (quiet) return "";
  const done =
    changed === null
      ? "nothing to change\n"
      : `${paint.bold(rangeText(changed))} ${action === "reserve" ? "is kept" : "is given back"}${forWhat(changed)}\n`;
  const all = reservations.map((each) => `  ${rangeText(each)}${forWhat(each)}\n`).join("");
  return `${done}${reservations.length > 1 ? `kept now:\n${all}` : ""}`;
}

function rangeText({ first, last }: { readonly first: number; readonly last: number }): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function forWhat({ note }: Reservation): string {
  return note === "" ? "" : ` for ${plainLine(note)}`;
}

function renderExplanation(answer: PortExplanation, { paint, columns }: View): string {
  const { port, profiles, reservations, openclaw, listeners, sockets } = answer;
  const lines: string[] = [];
  for (const { profile, block, label, since } of profiles) {
    const place = label === null ? "" : ` (${plainLine(label)})`;
    lines.push(`in the block ${block.first}-${block.last} of ${profile}${place}, since ${plainLine(since)}`);
  }
  for (const each of reservations) lines.push(`kept: ${rangeText(each)}${forWhat(each)}`);
  for (const claim of openclaw)
    lines.push(`claimed by ${plainLine(claim.program)} in ${plainLine(claim.owner)} (${plainLine(claim.label)})`);
  if (lines.length === 0) lines.push("in no profile's block");
  for (const listener of listeners) {
    const whose = listener.run === null ? "" : `${listener.run}: `;
    lines.push(`${paint.yellow("held")} on ${listener.address} by ${plainLine(`${whose}${describeHolder(listener)}`)}`);
  }
  if (sockets === "unknown") lines.push("this system does not show who listens");
  else if (listeners.length === 0) lines.push("nobody listens on it");
  lines.push(`a bind on 127.0.0.1 would find it ${answer.bind}`);
  if (answer.closing === "yes") lines.push("closed connections linger on it; they block nothing");
  if (answer.ephemeral === "yes") lines.push("in the host's ephemeral range: any program may be given it");
  if (answer.reserved === "yes") lines.push("reserved by the host (ip_local_reserved_ports)");
  if (answer.browserRefused === "yes") lines.push("browsers refuse to connect to it");
  return `${paint.bold(`port ${port}`)}\n${lines.map((line) => `  ${wrapBehind(line, 4, columns)}\n`).join("")}`;
}

function renderAudit(report: PortsReport | OwnReport, view: View): string {
  const { paint, columns: width, quiet } = view;
  const conflicts = report.conflicts.map(({ kind, port, profiles, owner }) => {
    const sides = [...profiles, ...(owner === null ? [] : [owner])].map(plainLine).join(" and ");
    return `${paint.red("conflict:")} ${wrapBehind(`${kind} on port ${port}: ${sides}`, "conflict: ".length, width)}\n`;
  });
  if (quiet) return conflicts.join("");
  const { blocks } = report;
  const columns: readonly Column[] = [
    { title: "BLOCK", expendable: 0 },
    { title: "PROFILE", expendable: 0 },
    { title: "STATE", expendable: 3, paint: (text, row) => paintState(blocks[row]?.state ?? "stopped", paint)(text) },
    { title: "PORTS", expendable: 1 },
    { title: "LISTENING", expendable: 2 },
  ];
  const rows: (readonly string[])[] = [];
  for (const { port, end, profile, state, ranges, listeners } of blocks) {
    const [first] = ranges;
    const named =
      ranges.length === 1 && first !== undefined ? describeRange(first) : ranges.map(describeRange).join(", ");
    const heard = listeners.length === 0 ? "-" : listeners.map(describeListener).join(", ");
    rows.push([`${port}-${end}`, profile, state, named, heard]);
  }
  const table = rows.length === 0 ? "" : `${renderTable(columns, rows, width, paint.dim)}\n`;
  const hidden = report.sockets === "unknown" ? "who listens is unknown: this system does not show it\n" : "";
  const pool = rangeText(report.pool);
  const next =
    report.nextFree === null
      ? `no free block is left in the pool ${pool}`
      : `pool: ${pool}\nnext free block: ${report.nextFree}`;
  const picture = renderPortRuler(toRuler(report), view);
  const kept = report.reservations.map((each) => `kept: ${rangeText(each)}${forWhat(each)}\n`).join("");
  return `${table}${picture}\n${"profile" in report ? "" : kept}${conflicts.join("")}${hidden}${"profile" in report ? "" : `${next}\n`}`;
}

/** One profile's block alone, or the pool and our blocks outside of it. */
function toRuler(report: PortsReport | OwnReport): Ruler {
  const { pool, ephemeral } = report;
  const blocks = report.blocks.map(toRulerBlock);
  const [own] = blocks;
  if ("profile" in report && own !== undefined) return { range: own, pool, blocks, claimed: [], others: [], ephemeral };
  let { first, last } = pool;
  const draw = (ports: Ports): void => {
    if (ports.first < first) first = ports.first;
    if (ports.last > last) last = ports.last;
  };
  for (const block of blocks) {
    draw(block);
    // A run on another port lies outside of its block, and often of the pool.
    for (const each of block.derived) draw(each);
  }
  return {
    range: { first, last },
    pool,
    blocks,
    claimed: [...report.openclaw, ...report.reservations],
    others: report.others.map(({ port }) => port),
    ephemeral,
  };
}

type Block = PortsReport["blocks"][number];

function toRulerBlock({ profile, port, end, ranges, listeners, state }: Block): RulerBlock {
  const derived =
    ranges.length === 1 && ranges[0]?.first === port ? NONE : ranges.filter(({ first }) => first !== port);
  if (listeners.length === 0) return { name: profile, first: port, last: end, derived, own: NONE, taken: NONE };
  const heard = (verdict: Block["listeners"][number]["verdict"]): readonly number[] =>
    listeners.filter((listener) => listener.verdict === verdict).map((listener) => listener.port);
  // What a run has handed its work to serves the run, and is in the way of the next one.
  const isOver = state === "stopped" || state === "failed" || state === "blocked";
  const [own, taken] = isOver
    ? [heard("own"), [...heard("stranger"), ...heard("outside")]]
    : [[...heard("own"), ...heard("outside")], heard("stranger")];
  return { name: profile, first: port, last: end, derived, own, taken };
}

const NONE: readonly never[] = [];

function describeRange({ label, first, last }: Block["ranges"][number]): string {
  return `${plainLine(label)} ${rangeText({ first, last })}`;
}

/** The word for a listener that is not the run's own. */
const VERDICTS: Readonly<Record<Block["listeners"][number]["verdict"], string>> = {
  own: "own",
  elsewhere: "elsewhere",
  stranger: "other process",
  unclear: "unclear",
  outside: "outside of its process tree",
};

function describeListener({ address, port, pid, verdict }: Block["listeners"][number]): string {
  const place = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (verdict === "own") return place;
  const owner = pid === null ? "owner not visible" : `pid ${pid}`;
  return `${place} (${VERDICTS[verdict]}, ${owner})`;
}
