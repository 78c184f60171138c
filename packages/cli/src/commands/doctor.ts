/** `doctor`: finds problems, most serious first; with `--fix` the repairs that lose nothing, after a yes. */
import type { Finding, Weight } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import { requireYes } from "../consent.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { Palette, View } from "../terminal/view.ts";
import { wrapBehind } from "../terminal/wrap.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["doctor"]>;

/** A finding as it is printed. */
export interface ShownFinding extends Omit<Finding, "fix" | "hint"> {
  /** What to do, when that is more than the command; or null. */
  readonly hint: string | null;
  /** The repair that loses nothing, or null. */
  readonly fix: string | null;
}

/** The result of the command. */
export interface Diagnosis {
  readonly findings: readonly ShownFinding[];
  /** The repairs of `--fix`. */
  readonly repaired: readonly string[];
}

export async function run(context: Context, { fix, yes }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const findings = await profiles.diagnose();
  const repairs = findings.flatMap((finding) => finding.fix?.what ?? []);
  if (!fix || repairs.length === 0) return answer(findings, []);
  if (!yes) await askFirst(context, repairs);
  return answer(await profiles.repair(findings), repairs);
}

export function render({ findings, repaired }: Diagnosis, { paint, quiet, columns }: View): string {
  if (quiet) return findings.map(({ code }) => `${code}\n`).join("");
  const done = repaired.map((what) => `${paint.green("repaired")}  ${plainLine(what)}\n`).join("");
  return `${done}${findings.map((finding) => renderFinding(finding, paint, columns)).join("")}${summary(findings, paint)}\n`;
}

function answer(findings: readonly Finding[], repaired: readonly string[]): Result {
  const shown = findings.map(({ fix, hint = null, ...finding }): ShownFinding => ({
    ...finding,
    hint,
    fix: fix?.what ?? null,
  }));
  const value: Diagnosis = { findings: shown, repaired };
  // An unknown fact is shown, but it is not a fault.
  return { value, status: findings.some(({ weight }) => weight !== "unknown") ? 1 : 0 };
}

async function askFirst({ world }: Context, repairs: readonly string[]): Promise<void> {
  if (world.canAsk()) world.stderr.write(repairs.map((what) => `  ${plainLine(what)}\n`).join(""));
  await requireYes(world, repairs.length === 1 ? "Make this repair?" : `Make these ${repairs.length} repairs?`, {
    message: "nothing was repaired",
    hint: "If you mean it: lockkeeper doctor --fix --yes",
    evidence: repairs,
  });
}

const INDENT = " ".repeat(9);

function renderFinding(
  { weight, title, evidence, command, hint }: ShownFinding,
  paint: Palette,
  columns: number,
): string {
  const colour = { error: paint.red, warning: paint.yellow, unknown: paint.dim }[weight];
  const lines = [`${colour(weight.padEnd(7))}  ${paint.bold(wrapBehind(plainLine(title), INDENT.length, columns))}`];
  for (const fact of evidence)
    lines.push(`${INDENT}${paint.dim("seen:")} ${wrapBehind(plainLine(fact), INDENT.length + 6, columns)}`);
  const advice = hint ?? command;
  if (advice !== null) lines.push(`${INDENT}${paint.cyan("->")} ${plainLine(advice)}`);
  return `${lines.join("\n")}\n`;
}

function summary(findings: readonly ShownFinding[], paint: Palette): string {
  if (findings.length === 0) return paint.green("No problems found.");
  const count = (weight: Weight, one: string, many: string): string => {
    const number = findings.filter((finding) => finding.weight === weight).length;
    return `${number} ${number === 1 ? one : many}`;
  };
  const counts = [
    count("error", "error", "errors"),
    count("warning", "warning", "warnings"),
    count("unknown", "unknown", "unknown"),
  ].filter((text) => !text.startsWith("0 "));
  const fixable = findings.filter(({ fix }) => fix !== null).length;
  return `${counts.join(", ")}${fixable === 0 ? "" : `; can be put right at once: ${fixable} (lockkeeper doctor --fix)`}`;
}
