/**
 * A settings file: flat JSON, checked against one table. Reading is cheap and loads nothing; writing goes through conf,
 * whose JSON schema is that same table. A damaged file is reported and kept, by readers and writers alike.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { fileError, readIfPresentSync, syncDirectory, warnAfter, shellCommand } from "@lockkeeper/core/internal";
import type { FileOwner } from "@lockkeeper/core/internal";
import { basename, dirname } from "node:path";
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
  // conf reads before it writes, so a file that it could not read is reported in our words first.
  readSettingsFile(path, table);
  const { default: Conf } = await import("conf");
  try {
    new Conf<Record<string, unknown>>({
      cwd: dirname(path),
      configName: basename(path, ".json"),
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
      schema: table as never,
    }).set(changes);
  } catch (error) {
    throw fileError(error, "write the settings", path);
  }
  try {
    // conf makes the file durable, but not its name: that is done here.
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    warnAfter("the settings are changed", error);
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
