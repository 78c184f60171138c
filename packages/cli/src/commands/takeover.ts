/** `takeover`: shows what runs an adopted gateway and what will happen, asks, and moves it to one of our keepers. */
import { shellCommand } from "@lockkeeper/core/internal";
import type { TakeoverPlan, TakeoverResult } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import { requireYes } from "../consent.ts";
import type { Context } from "../context.ts";
import { chooseTargets } from "../targets.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["takeover"]>;

export async function run(context: Context, { name, yes, confirm, timeout }: Arguments): Promise<Result> {
  const { world, progress } = context;
  const profiles = await context.openProfiles();
  await chooseTargets(context, profiles, { names: [name], confirm });
  const { stop: signal } = world.interruption();
  const consent = async (plan: TakeoverPlan): Promise<boolean> => {
    const lines = describePlan(plan);
    // A `--yes` given in advance does not cover a gateway that would lack something that its config needs.
    const certain = confirm.includes(name) || (yes && plan.grave.length === 0);
    if (!context.json && !context.view.quiet && (certain || world.canAsk()))
      world.stderr.write(`${lines.join("\n")}\n`);
    if (!certain) {
      await requireYes(world, `Take ${name} over?`, {
        message: `${name} was not taken over`,
        hint: `If you mean it: ${shellCommand("lockkeeper", "takeover", name, ...(plan.grave.length === 0 ? ["--yes"] : ["--confirm", name]))}`,
        evidence: lines,
      });
    }
    return true;
  };
  const result = await profiles
    .takeOver(name, { consent, stopTimeoutMs: timeout, signal, onProgress: (text) => progress.update(name, text) })
    .finally(progress.finish);
  return { value: result };
}

export function render({ outcome, status }: TakeoverResult, { paint, quiet }: View): string {
  if (quiet) return `${status.name}\n`;
  const keeper = status.keeperPid === null ? "no keeper" : `keeper pid ${status.keeperPid}`;
  const news = outcome === "already-ours" ? "is already managed by Lockkeeper" : paint.green("taken over");
  return `${paint.bold(status.name)}: ${news}, ${status.url}, pid ${status.pid ?? "-"}, ${keeper}\n`;
}

/** Returns both managers and the steps, one fact a line. Pure. */
export function describePlan({
  profile,
  port,
  old,
  steps,
  leftBehind,
  warnings,
  grave,
}: TakeoverPlan): readonly string[] {
  const enabled = old.enabled === "yes" ? ", starts by itself" : "";
  const lines = [
    `now:  ${plainLine(old.name)} (${old.kind}, pid ${old.pid}${enabled}) runs the gateway on port ${port}`,
    `then: one of our keepers runs it as ${profile}`,
    ...steps.map((step, index) => `  ${index + 1}. ${plainLine(step)}`),
  ];
  lines.push(...warnings.map((fact) => `note: ${plainLine(fact)}`));
  if (leftBehind.length > 0) {
    lines.push(`variables of the old gateway that ours will not have: ${leftBehind.map(plainLine).join(", ")}`);
  }
  lines.push(...grave.map((fact) => `attention: ${plainLine(fact)}`));
  return lines;
}
