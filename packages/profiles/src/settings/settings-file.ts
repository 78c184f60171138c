/**
 * A settings file: flat JSON, checked against one table. Reading and writing are cheap and load nothing; what a person sets goes
 * through `edited-file.ts`, whose JSON schema is the same table. A damaged file is reported and kept.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { readIfPresentSync, replaceFile, shellCommand } from "@lockkeeper/core/internal";
import type { FileOwner } from "@lockkeeper/core/internal";
import { isRecord, locateJsonError } from "../json.ts";

/** The allowed values of one setting: the part of JSON Schema that the cheap reader understands too. */
export type SettingSchema = { readonly description: string } & (
  | { readonly type: "integer"; readonly minimum: number; readonly maximum: number }
  | { readonly type: readonly ["string", "null"]; readonly pattern: string }
  | { readonly type: "array"; readonly items: { readonly type: "string"; readonly pattern: string } }
);

/** Every setting of a file, by its key. */
export type SettingsTable = Readonly<Record<string, SettingSchema>>;

/** Values as written in the file; a missing one has its default. Other keys are kept and ignored. */
export type SettingsValues = Readonly<Record<string, unknown>>;

/** Returns whether `value` satisfies `schema`. Pure. */
export function satisfies(schema: SettingSchema, value: unknown): boolean {
  if (schema.type === "integer") {
    return Number.isInteger(value) && Number(value) >= schema.minimum && Number(value) <= schema.maximum;
  }
  if (schema.type === "array") {
    const pattern = new RegExp(schema.items.pattern, "u");
    return Array.isArray(value) && value.every((each) => typeof each === "string" && pattern.test(each));
  }
  return value === null || (typeof value === "string" && new RegExp(schema.pattern, "u").test(value));
}

/**
 * Returns the settings in the file at `path`; empty when there is no file.
 *
 * @throws {LockkeeperError} CONFIG_DAMAGED with path and position, or the key and what it must be.
 * @throws {LockkeeperError} UNSAFE_PATH, PERMISSION_DENIED, IO_FAILED
 */
export function readSettingsFile(path: string, table: SettingsTable, owner?: FileOwner): SettingsValues {
  const text = readIfPresentSync(path, owner);
  if (text === undefined) return {};
  let values: unknown;
  try {
    values = JSON.parse(text) as unknown;
  } catch (error) {
    const { line, column } = locateJsonError(text);
    throw damaged(path, `${path}:${line}:${column}: not JSON`, error);
  }
  if (!isRecord(values)) throw damaged(path, `${path}: expected an object`);
  for (const [key, schema] of Object.entries(table)) {
    if (Object.hasOwn(values, key) && !satisfies(schema, values[key])) {
      throw damaged(path, `${path}: ${key}: expected ${describeSchema(schema)}, got ${JSON.stringify(values[key])}`);
    }
  }
  return values;
}

/**
 * On return the file at `path` holds `changes` and its other keys, durably, with mode 0600. Its directory must exist, and the
 * caller must make sure that no other process writes the file meanwhile.
 *
 * @throws {LockkeeperError} OPTION_INVALID when a value is not allowed; DISK_FULL, DISK_READ_ONLY; and as
 *   {@link readSettingsFile}.
 */
export async function writeSettingsFile(path: string, table: SettingsTable, changes: SettingsValues): Promise<void> {
  requireAllowed(table, changes);
  const values = { ...readSettingsFile(path, table), ...changes };
  await replaceFile(path, `${JSON.stringify(values, undefined, "\t")}\n`, { unconfirmed: "warn" });
}

/** @throws {LockkeeperError} OPTION_INVALID naming the first key or value that `table` does not allow. */
export function requireAllowed(table: SettingsTable, changes: SettingsValues): void {
  for (const [key, value] of Object.entries(changes)) {
    const schema = Object.hasOwn(table, key) ? table[key] : undefined;
    if (schema === undefined) {
      throw new LockkeeperError("OPTION_INVALID", `no such setting: ${key}`, {
        hint: `Known: ${Object.keys(table).join(", ")}.`,
      });
    }
    if (!satisfies(schema, value)) {
      throw new LockkeeperError(
        "OPTION_INVALID",
        `${key}: expected ${describeSchema(schema)}, got ${JSON.stringify(value)}`,
      );
    }
  }
}

/** Returns the allowed values of a setting, for display. */
export function describeSchema(schema: SettingSchema): string {
  if (schema.type === "integer") return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  return schema.type === "array"
    ? `a list of strings like ${schema.items.pattern}`
    : `null, or a string like ${schema.pattern}`;
}

function damaged(path: string, message: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError("CONFIG_DAMAGED", `the settings are damaged: ${message}`, {
    cause,
    hint: `Mend it, or move it away to go back to the defaults: ${shellCommand("mv", path, `${path}.damaged`)}`,
  });
}
