/**
 * `config get|set`: the tool's own settings and a built-in gateway's, checked against their tables, changed with a diff. The
 * config of a program that people also run without Lockkeeper is only read: that program has its own command to change it.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean, withFileMutex } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { ensureHome } from "../home.ts";
import { isSecretName, withoutSecrets } from "../secrets.ts";
import type { ForeignProgram } from "../foreign-program.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { HIGHEST_PORT } from "../port-number.ts";
import { homePaths } from "../profile-paths.ts";
import { requireManifest } from "../registry/registry.ts";
import { defaultGatewaySettings, gatewaySettingsTable } from "../settings/gateway-settings.ts";
import { DEFAULT_SETTINGS, LOWEST_POOL_PORT, settingsTable } from "../settings/settings.ts";
import type { Settings } from "../settings/settings.ts";
import { describeSchema, readSettingsFile, satisfies } from "../settings/settings-file.ts";
import type { SettingSchema, SettingsTable } from "../settings/settings-file.ts";

/** The settings to read or change. */
export interface ConfigRequest {
  /** Whose gateway's config. @default none: the tool's own settings */
  readonly profile?: string | undefined;
  /** One setting; for a program's own config a path with dots: `gateway.port`. @default all */
  readonly key?: string | undefined;
}

/** One setting. */
export interface ConfigEntry {
  readonly key: string;
  /** Undefined: not set, so the gateway's own default applies. */
  readonly value: unknown;
  readonly set: "yes" | "default";
  readonly description: string;
}

/** The settings of one file. */
export interface ConfigReading {
  readonly path: string;
  readonly profile: string | null;
  readonly entries: readonly ConfigEntry[];
}

/** One setting and its new value. */
export interface ConfigChangeRequest extends ConfigRequest {
  readonly key: string;
  /** As typed: a number, a text, `null`, a list as JSON or separated by commas. */
  readonly value: string;
  /** Check and show, write nothing. @default false */
  readonly dryRun?: boolean | undefined;
}

/** The result of a change, or its plan. */
export interface ConfigChange {
  readonly path: string;
  readonly profile: string | null;
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly outcome: "changed" | "unchanged" | "would-change";
  /** `- key: before` and `+ key: after`; empty when nothing changes. */
  readonly diff: readonly string[];
  /** A gateway reads its config when it starts. */
  readonly takesEffect: "now" | "next-start";
}

/** The settings of one file, and its place. */
interface Subject {
  readonly path: string;
  readonly profile: string | null;
  readonly table: SettingsTable;
  readonly defaults: Readonly<Record<string, unknown>>;
}

/**
 * Returns the settings, or the requested one.
 *
 * @throws {LockkeeperError} OPTION_INVALID for an unknown key, with the nearest; CONFIG_DAMAGED; PROFILE_NOT_FOUND.
 */
export async function readConfig(
  { home }: Pick<ProfilesContext, "home">,
  request: ConfigRequest = {},
): Promise<ConfigReading> {
  const manifest = request.profile === undefined ? undefined : requireManifest(home, request.profile);
  const program = manifest === undefined ? undefined : await kinds[manifest.kind].foreign?.();
  if (manifest !== undefined && program !== undefined) return readProgramConfig(manifest, program, request.key);
  const subject = subjectOf(home, manifest);
  const values = readSettingsFile(subject.path, subject.table);
  const keys = request.key === undefined ? Object.keys(subject.table) : [requireKey(subject, request.key).key];
  const entries = keys.map((key): ConfigEntry => {
    const set = Object.hasOwn(values, key);
    const description = subject.table[key]?.description ?? "";
    return { key, value: set ? values[key] : subject.defaults[key], set: set ? "yes" : "default", description };
  });
  return { path: subject.path, profile: subject.profile, entries };
}

/**
 * Changes one setting durably and keeps the rest of the file.
 *
 * @throws {LockkeeperError} OPTION_INVALID for an unknown key, a value that is not allowed, or a config that we must not
 * write; CONFIG_DAMAGED, PROFILE_NOT_FOUND, MUTEX_TIMEOUT, and file errors.
 */
export async function changeConfig(
  { home }: Pick<ProfilesContext, "home">,
  request: ConfigChangeRequest,
): Promise<ConfigChange> {
  const manifest = request.profile === undefined ? undefined : requireManifest(home, request.profile);
  const subject = subjectOf(home, manifest);
  const { key, schema } = requireKey(subject, request.key);
  const after = parseValue(key, request.value, schema);
  if (subject.profile === null) refuseOtherVerbs(key);
  ensureHome(home);
  return withFileMutex(homePaths(home).registryLock, async () => {
    const values = readSettingsFile(subject.path, subject.table);
    const before = Object.hasOwn(values, key) ? values[key] : subject.defaults[key];
    if (subject.profile === null) refuseEmptyPool({ ...DEFAULT_SETTINGS, ...values, [key]: after }, key);
    const same = JSON.stringify(before) === JSON.stringify(after);
    const write = !same && request.dryRun !== true;
    if (write) {
      const { editSettingsFile } = await import("../settings/edited-file.ts");
      await editSettingsFile(subject.path, subject.table, { [key]: after });
    }
    return {
      path: subject.path,
      profile: subject.profile,
      key,
      before,
      after,
      outcome: same ? "unchanged" : write ? "changed" : "would-change",
      diff: same ? [] : [...(before === undefined ? [] : [`- ${key}: ${text(before)}`]), `+ ${key}: ${text(after)}`],
      takesEffect: subject.profile === null ? "now" : "next-start",
    };
  });
}

function subjectOf(home: string, manifest: Manifest | undefined): Subject {
  if (manifest === undefined) {
    return { path: homePaths(home).settings, profile: null, table: settingsTable, defaults: { ...DEFAULT_SETTINGS } };
  }
  if (manifest.kind === "builtin") {
    const defaults = { ...defaultGatewaySettings };
    return { path: manifest.paths.config, profile: manifest.name, table: gatewaySettingsTable, defaults };
  }
  const { name, kind, paths } = manifest;
  if (kinds[kind].foreign === undefined) {
    throw new LockkeeperError(
      "OPTION_INVALID",
      `${name} runs your own command: Lockkeeper has no settings file for it`,
      {
        hint: "What Lockkeeper knows of a profile is changed by: lockkeeper edit --help",
      },
    );
  }
  throw new LockkeeperError("OPTION_INVALID", `the config of ${name} belongs to ${kind}, not to Lockkeeper`, {
    evidence: [paths.config],
    hint: `Let its program do it: lockkeeper exec ${name} -- ${kind} config set KEY VALUE`,
  });
}

function requireKey({ table, path }: Subject, key: string): { readonly key: string; readonly schema: SettingSchema } {
  const schema = Object.hasOwn(table, key) ? table[key] : undefined;
  if (schema !== undefined) return { key, schema };
  const known = Object.keys(table);
  throw new LockkeeperError("OPTION_INVALID", `no such setting: ${key} (in ${path})`, {
    hint: didYouMean(key, known) ?? `Known: ${known.join(", ")}.`,
  });
}

function parseValue(key: string, typed: string, schema: SettingSchema): unknown {
  const value = readTyped(typed, schema);
  if (satisfies(schema, value)) return value;
  throw new LockkeeperError(
    "OPTION_INVALID",
    `${key}: expected ${describeSchema(schema)}, got ${JSON.stringify(typed)}`,
    {
      hint: `${key}: ${schema.description}.`,
    },
  );
}

function readTyped(typed: string, schema: SettingSchema): unknown {
  if (schema.type === "integer") return /^-?\d{1,15}$/.test(typed) ? Number(typed) : typed;
  if (schema.type !== "array") return typed === "null" ? null : typed;
  if (!typed.trimStart().startsWith("[")) return typed === "" ? [] : typed.split(",").map((part) => part.trim());
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    return typed;
  }
}

/** The default profile is changed only by `use`, which says so loudly. */
function refuseOtherVerbs(key: string): void {
  if (key !== "defaultProfile" && key !== "previousProfile") return;
  throw new LockkeeperError("OPTION_INVALID", `${key} is not set here`, {
    hint: "The command use sets it; see the names: lockkeeper list",
  });
}

function refuseEmptyPool({ poolFirst, poolLast }: Settings, key: string): void {
  if (poolFirst <= poolLast) return;
  const other = key === "poolFirst" ? `poolLast ${HIGHEST_PORT}` : `poolFirst ${LOWEST_POOL_PORT}`;
  throw new LockkeeperError("OPTION_INVALID", `the pool would be empty: ${poolFirst} to ${poolLast}`, {
    hint: `Set the other end first: lockkeeper config set ${other}`,
  });
}

async function readProgramConfig(
  manifest: Manifest,
  program: ForeignProgram,
  key: string | undefined,
): Promise<ConfigReading> {
  const { name, paths } = manifest;
  const config = await program.readConfig(manifest);
  if (config.document === undefined) {
    throw new LockkeeperError(
      "CONFIG_DAMAGED",
      `the config of ${name} cannot be read: ${paths.config}: ${config.fault}`,
      {
        hint: `It is ${program.title}'s own file and was not changed.`,
      },
    );
  }
  const all = [...flatten(config.document, "")];
  const wanted = key === undefined ? all : all.filter((entry) => entry.key === key || entry.key.startsWith(`${key}.`));
  if (wanted.length > 0) return { path: paths.config, profile: name, entries: wanted };
  throw new LockkeeperError("OPTION_INVALID", `no such setting: ${key} (in ${paths.config})`, {
    hint: `See all that are set: lockkeeper config get --profile ${name}`,
  });
}

/** Secrets belong to the program: only the fact that they are set is shown. */
function* flatten(value: unknown, key: string): Generator<ConfigEntry> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) yield* flatten(inner, key === "" ? name : `${key}.${name}`);
    return;
  }
  const shown = typeof value === "string" && isSecretName(key) ? "(hidden)" : withoutSecrets(value).clean;
  yield { key, value: shown, set: "yes", description: "" };
}

function text(value: unknown): string {
  return JSON.stringify(value);
}
