/** `config get|set`: the tool's own settings, or those of one profile's gateway; a change is shown as a difference. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ConfigChange, ConfigReading } from "@lockkeeper/profiles";
import type { ArgumentsOf } from "../command-line/command.ts";
import type { Result } from "../command-module.ts";
import type { COMMANDS } from "../command-line/commands.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { renderTable } from "../terminal/table.ts";
import type { View } from "../terminal/view.ts";

type Arguments = ArgumentsOf<(typeof COMMANDS)["config"]>;

export async function run(context: Context, { action, key, value, profile, dryRun }: Arguments): Promise<Result> {
  const profiles = await context.openProfiles();
  if (action === "get") {
    if (value !== undefined) throw usage(`config get takes one setting, not also ${value}`, "config set <key> <value>");
    const reading = await profiles.readConfig({ profile, key });
    const [asked, ...others] = reading.entries;
    const isOne = key !== undefined && asked !== undefined && others.length === 0;
    const shown: Shown = isOne ? { only: asked.value } : reading;
    return { value: reading, shown };
  }
  if (key === undefined || value === undefined) throw usage("config set: a key and a value are needed", "config get");
  const change = await profiles.changeConfig({ profile, key, value, dryRun });
  const waits = change.outcome === "changed" && change.takesEffect === "next-start";
  return { value: change, notes: waits ? [`From its next start on: lockkeeper restart ${change.profile}`] : [] };
}

/** One setting that was asked for is printed alone, for scripts and for eyes. */
type Shown = ConfigReading | { readonly only: unknown };

export function render(value: Shown | ConfigChange, view: View): string {
  if ("only" in value) return `${asText(value.only)}\n`;
  return "entries" in value ? renderReading(value, view) : renderChange(value, view);
}

function renderReading({ path, entries }: ConfigReading, { paint, columns: width, quiet }: View): string {
  if (quiet) return entries.map(({ value }) => `${asText(value)}\n`).join("");
  const columns = [
    { title: "KEY", expendable: 0 },
    { title: "VALUE", expendable: 0 },
    { title: "SET", expendable: 2 },
    { title: "MEANING", expendable: 1 },
  ];
  const rows = entries.map(({ key, value, set, description }) => [
    plainLine(key),
    asText(value),
    set,
    plainLine(description),
  ]);
  return `${paint.dim(plainLine(path))}\n${renderTable(columns, rows, width, paint.dim)}`;
}

function renderChange({ path, key, outcome, diff }: ConfigChange, { paint, quiet }: View): string {
  if (quiet) return "";
  if (outcome === "unchanged") return `${key} is that already: ${plainLine(path)}\n`;
  const lines = diff.map((line) => (line.startsWith("+") ? paint.green : paint.red)(plainLine(line)));
  const title = `${plainLine(path)}${outcome === "would-change" ? " (not written)" : ""}`;
  return `${paint.dim(title)}\n${lines.join("\n")}\n`;
}

function asText(value: unknown): string {
  if (value === undefined) return "-";
  return plainLine(typeof value === "string" ? value : JSON.stringify(value));
}

function usage(message: string, line: string): LockkeeperError {
  return new LockkeeperError("USAGE", message, { hint: `lockkeeper ${line}` });
}
