/** Renders the changes of an edit. Pure. */
import { shellCommand } from "@lockkeeper/core/internal";
import { formatDurationMs, formatLease, formatSizeBytes } from "@lockkeeper/profiles";
import type { EditResult, FieldChange, Manifest } from "@lockkeeper/profiles";
import { plainLine } from "./terminal/plain-text.ts";
import type { View } from "./terminal/view.ts";

/** Returns a line for each change, or one sentence when there is none. */
export function renderEdit({ profile, changes, dryRun }: EditResult, view: View): string {
  const { paint, quiet } = view;
  if (quiet) return "";
  if (changes.length === 0) return `${profile}: nothing to change\n`;
  const width = Math.max(...changes.map(({ field }) => field.length));
  const lines = changes.map((change) => renderChange(change, width, view));
  return `${paint.bold(profile)}${dryRun ? " (not written)" : ""}\n${lines.join("")}`;
}

/** Returns the line of one change, its field padded to `width`. */
export function renderChange(change: FieldChange, width: number, { paint }: View): string {
  const { field, from, to, kind } = change;
  // Values of variables and hooks may be secrets.
  const isTold = from !== null || to !== null;
  const difference = isTold ? `${paint.red(valueText(change, from))} -> ${paint.green(valueText(change, to))}` : kind;
  return `  ${plainLine(field).padEnd(width)}  ${difference}\n`;
}

/** Returns the next step for the change to take effect, if one is needed. */
export function editNotes({ profile, dryRun, pending }: EditResult, isProtected: boolean): readonly string[] {
  if (dryRun || !pending) return [];
  const restart = shellCommand("lockkeeper", "restart", profile, ...(isProtected ? ["--confirm", profile] : []));
  return [`${profile} runs on as it was started; from its next start on: ${restart}`];
}

function valueText({ field }: FieldChange, value: unknown): string {
  if (value === null) return "-";
  if (typeof value === "number" && field.endsWith("Ms")) return formatDurationMs(value);
  if (typeof value === "number" && field.endsWith("Bytes")) return formatSizeBytes(value);
  if (Array.isArray(value))
    return plainLine(field === "command" ? shellCommand(...value.map(String)) : value.join(", "));
  if (field === "lease" && typeof value === "object")
    return plainLine(formatLease(value as NonNullable<Manifest["lease"]>));
  if (field === "ports" && typeof value === "object" && value !== null)
    return plainLine(
      Object.entries(value)
        .map(([label, port]) => `${label} ${port}`)
        .join(", "),
    );
  return plainLine(typeof value === "string" ? value : JSON.stringify(value));
}
