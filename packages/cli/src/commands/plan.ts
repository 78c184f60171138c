/** `plan`: shows what applying a file of profiles would change. Changes nothing. */
import type { SetPlan } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Result } from "../command-module.ts";
import type { Context } from "../context.ts";
import { renderSetPlan, setNotes, setRequest } from "../set-plan-text.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["plan"]>;

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const plan = await profiles.planSet(setRequest(context.world, given));
  const isAsked = plan.changes.length > 0 || plan.left.some(({ weight }) => weight === "asked");
  return { value: plan, status: isAsked ? 1 : 0, notes: setNotes(plan) };
}

export function render(plan: SetPlan, view: View): string {
  return renderSetPlan(plan, view);
}
