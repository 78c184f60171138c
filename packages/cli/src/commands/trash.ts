/** `trash`: lists removed profiles, or deletes them for good. */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import type { TrashedProfile } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import { requireYes } from "../consent.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderTable } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["trash"]>;

interface Shown {
  readonly action: string;
  readonly profiles: readonly TrashedProfile[];
}

export async function run(context: Context, { action, names, yes }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  const found = await profiles.trash();
  const unknown = names.find((name) => found.every((each) => each.name !== name));
  if (unknown !== undefined) {
    throw new LockkeeperError("PROFILE_NOT_FOUND", `nothing named ${unknown} is in the trash of ${profiles.home}`, {
      hint: "See what is: lockkeeper trash list",
    });
  }
  const chosen = found.filter(({ name }) => names.length === 0 || names.includes(name));
  if (action === "empty" && chosen.length > 0 && !yes) {
    const what = chosen.length === 1 ? "one removed profile" : `${chosen.length} removed profiles`;
    await requireYes(context.world, `Delete ${what} for good, state and logs included?`, {
      message: `nothing was deleted: ${what} would be gone for good`,
      hint: `If you mean it: ${shellCommand("lockkeeper", "trash", "empty", ...names, "--yes")}`,
      evidence: chosen.map(({ path }) => path),
    });
  }
  const value = action === "empty" ? await profiles.emptyTrash([...new Set(chosen.map(({ name }) => name))]) : chosen;
  const shown: Shown = { action, profiles: value };
  return { value, shown, notes: value.length === 0 ? ["The trash is empty."] : [] };
}

export function render({ action, profiles }: Shown, { paint, columns: width, quiet }: View): string {
  if (quiet) return profiles.map(({ name }) => `${plainLine(name)}\n`).join("");
  if (profiles.length === 0) return "";
  if (action === "empty")
    return profiles.map(({ name, path }) => `${plainLine(name)} deleted: ${plainLine(path)}\n`).join("");
  const columns = [
    { title: "NAME", expendable: 0 },
    { title: "REMOVED", expendable: 1 },
    { title: "FOLDER", expendable: 2, cuts: [{ rank: 3, to: 20 }] },
  ];
  const rows = profiles.map(({ name, removedAt, path }) => [
    plainLine(name),
    plainLine(removedAt ?? "-"),
    plainLine(path),
  ]);
  return renderTable(columns, rows, width, paint.dim);
}
