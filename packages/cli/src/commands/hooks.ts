/** `hooks test`: tells each hook of a profile once, marked as a test, and says what it answered. */
import type { HookTrial } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderTable } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["hooks"]>;

interface Tried {
  readonly profile: string;
  readonly hooks: readonly HookTrial[];
}

export async function run(context: Context, given: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const { stop } = context.world.interruption();
  const value: Tried = { profile: given.name, hooks: await profiles.testHooks(given.name, { signal: stop }) };
  return { value, status: value.hooks.every(({ outcome }) => outcome === "told") ? 0 : 1 };
}

export function render({ hooks }: Tried, { paint, quiet, columns: width }: View): string {
  if (quiet) return "";
  const columns = [
    { title: "EVENT", expendable: 0 },
    {
      title: "OUTCOME",
      expendable: 0,
      paint: (cell: string) => (cell.startsWith("told") ? paint.green : paint.red)(cell),
    },
    { title: "ANSWER", expendable: 2 },
    { title: "TARGET", expendable: 1 },
  ];
  const rows = hooks.map(({ event, outcome, detail, attempts, target }) => [
    event,
    attempts > 1 ? `${outcome}, ${attempts} attempts` : outcome,
    plainLine(detail),
    plainLine(target),
  ]);
  return renderTable(columns, rows, width, paint.dim);
}
