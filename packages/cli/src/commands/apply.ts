/** `apply`: makes the profiles match a file, after showing the difference and asking. */
import { shellCommand } from "@lockkeeper/core/internal";
import type { SetPlan } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Failure, Result } from "../command-module.ts";
import { requireYes } from "../consent.ts";
import type { Context } from "../context.ts";
import { onEachProfile, renderOutcomes } from "../each-profile.ts";
import type { ProfileOutcome } from "../each-profile.ts";
import { fileWords, renderSetPlan, setNotes, setRequest } from "../set-plan-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["apply"]>;

/** The steps that were done, and the results of the restarts. */
type Applied = SetPlan & { readonly restarted: readonly ProfileOutcome[] };

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const request = setRequest(context.world, given);
  const plan = await profiles.planSet(request);
  const notes = setNotes(plan);
  if (plan.changes.length > 0 && !given.yes) await askFor(context, plan);
  await profiles.applySet(request, plan);
  const { restarted, failures } = await restartAll(context, plan);
  const value: Applied = { ...plan, restarted };
  const isAsked = plan.left.some(({ weight }) => weight === "asked");
  return { value, failures, notes, ...(isAsked && failures.length === 0 && { status: 1 }) };
}

export function render({ restarted, ...plan }: Applied, view: View): string {
  return `${renderSetPlan(plan, view)}${renderOutcomes(restarted, view)}`;
}

async function askFor(context: Context, plan: SetPlan): Promise<void> {
  const lines = plan.changes.map(({ profile, action }) => `${action} ${profile}`);
  if (context.world.canAsk()) context.world.stderr.write(renderSetPlan(plan, context.view));
  await requireYes(context.world, "Do that?", {
    message: `${plan.file} changes ${lines.length === 1 ? "one thing" : `${lines.length} things`}: nothing was done`,
    evidence: lines,
    hint: `If you mean it: ${shellCommand("lockkeeper", "apply", ...fileWords(plan), "--yes")}`,
  });
}

async function restartAll(
  context: Context,
  plan: SetPlan,
): Promise<{ readonly restarted: readonly ProfileOutcome[]; readonly failures: readonly Failure[] }> {
  const names = plan.changes.filter(({ action }) => action === "restart").map(({ profile }) => profile);
  if (names.length === 0) return { restarted: [], failures: [] };
  const profiles = await context.openProfiles();
  const { stop: signal } = context.world.interruption();
  const startedBy = `"${shellCommand("lockkeeper", "apply", ...fileWords(plan))}"`;
  const { steps } = await profiles.order("restart", names);
  const { value, failures = [] } = await onEachProfile(context, steps, "hold-back", (name, onProgress) =>
    profiles.restart(name, { startedBy, signal, onProgress }),
  );
  return { restarted: value, failures };
}
