/** The differences between two manifests of one profile, field by field, without values that may be secret. Pure. */
import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../json.ts";
import type { Manifest } from "../manifest.ts";

/** One difference. `from` and `to` are null for a missing value, and for values of `env` and `hooks`. */
export interface FieldChange {
  /** As in the manifest; one variable is `env.NAME`, one hook `hooks.EVENT`. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly kind: "added" | "changed" | "removed";
}

/** Records whose entries are listed one by one and whose values are never shown. */
const SECRET: readonly (keyof Manifest)[] = ["env", "hooks"];

/** Returns every difference, in the order of the fields. */
export function manifestChanges(before: Manifest, after: Manifest): readonly FieldChange[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof Manifest)[];
  return fields.flatMap((field) => {
    // Named ports that only move with the block are not listed separately.
    if (field === "ports")
      return isDeepStrictEqual(offsetsOf(before), offsetsOf(after)) ? [] : changeOf(field, before.ports, after.ports);
    if (SECRET.includes(field)) return entryChanges(field, before[field], after[field]);
    return changeOf(field, before[field], after[field]);
  });
}

function offsetsOf({ port, ports }: Manifest): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(ports).map(([label, value]) => [label, value - port]));
}

function entryChanges(field: string, before: unknown, after: unknown): readonly FieldChange[] {
  const [old, young] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  return [...new Set([...Object.keys(old), ...Object.keys(young)])]
    .sort()
    .flatMap((key) => changeOf(`${field}.${key}`, old[key], young[key]))
    .map((change) => ({ ...change, from: null, to: null }));
}

function changeOf(field: string, from: unknown, to: unknown): readonly FieldChange[] {
  if (isDeepStrictEqual(from, to)) return [];
  const kind = from === undefined ? "added" : to === undefined ? "removed" : "changed";
  return [{ field, from: from ?? null, to: to ?? null, kind }];
}
