/**
 * Has the run that lives read what the profile says now? A keeper publishes a mark of the settings that it was started
 * with; settings that only commands look at (protection, groups, order) are no part of it.
 */
import { createHash } from "node:crypto";
import { isRecord } from "../json.ts";
import type { Manifest } from "../manifest.ts";
import type { ProfileObservation } from "./observe-profile.ts";

/** Fields that act at once, or never on a run. */
const NOT_OF_ARUN: ReadonlySet<string> = new Set([
  "schemaVersion",
  "name",
  "protected",
  "createdAt",
  "paths",
  "groups",
  "after",
  "set",
]);

/** Returns whether a change of that field waits for the next start. */
export function actsOnARun(field: string): boolean {
  return !NOT_OF_ARUN.has(field);
}

/** Returns the same text for the same settings, whatever the order in which they are written down. */
export function settingsMark(manifest: Manifest): string {
  const settings = Object.entries(manifest).filter(([field]) => actsOnARun(field));
  return createHash("sha256")
    .update(JSON.stringify(inOrder(Object.fromEntries(settings))))
    .digest("hex");
}

/** Returns the value with the fields of every record in it in one order. */
function inOrder(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inOrder(value[key])]),
  );
}

/** Returns false where nothing lives, and where the run's keeper is too old to say what it read. */
export function hasPendingChange({ manifest, record, observed }: ProfileObservation): boolean {
  const lives = observed.keeper !== null || observed.gateway !== null;
  return lives && record?.settings !== undefined && record.settings !== settingsMark(manifest);
}
