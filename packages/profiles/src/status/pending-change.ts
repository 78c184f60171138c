/**
 * Says whether the living run was started with the present settings. A keeper publishes a digest of its settings; settings
 * that only commands use (protection, groups, order) are not in it.
 */
import { sha256 } from "@lockkeeper/core/internal";
import { isRecord } from "../json.ts";
import type { Manifest } from "../manifest.ts";
import type { ProfileObservation } from "./observe-profile.ts";

/** Fields that take effect at once, or never affect a run. */
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

/** Returns the same text for the same settings, whatever their order. */
export function settingsMark(manifest: Manifest): string {
  const settings = Object.entries(manifest).filter(([field]) => actsOnARun(field));
  return sha256(JSON.stringify(inOrder(Object.fromEntries(settings))));
}

/** Returns the value with the fields of every record sorted. */
function inOrder(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inOrder(value[key])]),
  );
}

/** Returns false when nothing runs, and when the run's keeper is too old to publish the digest. */
export function hasPendingChange({ manifest, record, observed }: ProfileObservation): boolean {
  const lives = observed.keeper !== null || observed.gateway !== null;
  return lives && record?.settings !== undefined && record.settings !== settingsMark(manifest);
}
