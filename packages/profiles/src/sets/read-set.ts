/**
 * Reads a set into the form that `create` and `edit` take: names with their prefix, absolute paths, times and sizes as
 * numbers.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean } from "@lockkeeper/core/internal";
import path from "node:path";
import { parseDurationMs, parseSizeBytes } from "../amounts.ts";
import { checkCreateOptions } from "../life/create-options.ts";
import type { CreateOptions } from "../life/create-options.ts";
import type { Registry } from "../registry/registry.ts";
import { findCircle } from "../registry/start-order.ts";
import { isSecretName } from "../secrets.ts";
import { parseSet, setFault } from "./set-document.ts";
import type { SetEntry, SetPlace, SetValues } from "./set-document.ts";
import type { SetText } from "./set-file.ts";

/** One profile that the file asks for. */
export interface SetProfile {
  readonly name: string;
  readonly options: CreateOptions;
  /** Variables and hooks that keep their values: `env.NAME`, `hooks.EVENT`. */
  readonly kept: readonly string[];
  readonly place: SetPlace;
}

/** The whole file, consistent in itself. */
export interface ProfileSet {
  readonly file: string;
  readonly prefix: string;
  /** In the order of the file. */
  readonly profiles: readonly SetProfile[];
  /** Warnings, one fact a line. */
  readonly warnings: readonly string[];
}

/**
 * Returns the content of the file.
 *
 * @param registry for names in `after` that are not in the file.
 * @throws {LockkeeperError} CONFIG_DAMAGED with line and column.
 */
export function readSet({ file, text }: SetText, prefix: string, registry: Registry): ProfileSet {
  const entries = parseSet(file, text);
  const own = new Set(entries.map(({ name }) => name));
  const profiles = entries.map((entry) => readProfile(file, entry, prefix, own));
  for (const [index, { options, place }] of profiles.entries()) {
    const names = new Set([...profiles.map(({ name }) => name), ...registry.keys()]);
    const unknown = (options.after ?? []).find((name) => !names.has(name));
    if (unknown === undefined) continue;
    const at = entries[index]?.places.get("after") ?? place;
    throw setFault(at, `after: no profile named ${unknown}, here or in the home`, didYouMean(unknown, names));
  }
  refuseCircle(profiles, registry);
  return { file, prefix, profiles, warnings: entries.flatMap(secretsOf) };
}

function readProfile(file: string, entry: SetEntry, prefix: string, own: ReadonlySet<string>): SetProfile {
  const name = `${prefix}${entry.name}`;
  const { options, kept } = toOptions(file, name, entry.values, prefix, own);
  // Each profile is checked alone first, so that a fault is reported at its place.
  const { name: _, kind, argv, ...others } = options;
  try {
    checkCreateOptions({ name, kind, argv });
  } catch (error) {
    blame(
      error instanceof LockkeeperError && error.code === "PROFILE_NAME_INVALID"
        ? entry.place
        : placeOf(entry, "command", "kind"),
      error,
    );
  }
  for (const [option, value] of Object.entries(others)) {
    if (value === undefined || option === "set") continue;
    const { span, scheme } = options;
    const context = option === "port" || option === "extraPorts" ? { span } : option === "health" ? { scheme } : {};
    try {
      checkCreateOptions({ name, kind, argv, ...context, [option]: value });
    } catch (error) {
      blame(placeOf(entry, KEY_OF[option] ?? option), error);
    }
  }
  try {
    checkCreateOptions(options);
  } catch (error) {
    blame(entry.place, error);
  }
  return { name, options, kept, place: entry.place };
}

/** Reports a refusal of `create` at the place of its cause. */
function blame(place: SetPlace, error: unknown): never {
  if (!(error instanceof LockkeeperError)) throw error;
  throw setFault(place, error.message, error.hint);
}

/** Options with another name in the file. */
const KEY_OF: Readonly<Record<string, string>> = {
  stopTimeoutMs: "stopTimeout",
  restartUnresponsiveMs: "restartUnresponsive",
  memoryRestartBytes: "memoryRestart",
  memoryMaxBytes: "memoryMax",
};

function placeOf({ place, places }: SetEntry, ...keys: readonly string[]): SetPlace {
  return keys.map((key) => places.get(key)).find((found) => found !== undefined) ?? place;
}

function toOptions(
  file: string,
  name: string,
  values: SetValues,
  prefix: string,
  own: ReadonlySet<string>,
): Pick<SetProfile, "options" | "kept"> {
  // The document was read by the table of keys, so the types are right.
  const get = <T>(key: keyof SetValues): T | undefined => values[key] as T | undefined;
  const inFolder = (given: string | undefined): string | undefined =>
    given === undefined ? undefined : path.resolve(path.dirname(file), given);
  const kind = get<string>("kind") ?? (values.command === undefined ? "builtin" : "command");
  const env = splitKept(get("env"));
  const hooks = splitKept(get("hooks"));
  const given: { readonly [K in keyof CreateOptions]: CreateOptions[K] } = {
    name,
    kind,
    argv: get("command"),
    cwd: inFolder(get("cwd")) ?? (kind === "command" ? path.dirname(file) : undefined),
    env: env.said,
    passEnv: get("passEnv"),
    envFile: inFolder(get("envFile")),
    portEnv: get("portEnv"),
    port: get("port"),
    host: get("host"),
    span: get("span"),
    extraPorts: get("extraPorts"),
    health: get("health"),
    scheme: get("scheme"),
    stopTimeoutMs: optional(get("stopTimeout"), parseDurationMs),
    groups: get("groups"),
    // A profile outside the file gets no prefix.
    after: get<readonly string[]>("after")?.map((each) => (own.has(each) ? `${prefix}${each}` : each)),
    end: get("end"),
    memoryRestartBytes: optional(get("memoryRestart"), parseSizeBytes),
    memoryMaxBytes: optional(get("memoryMax"), parseSizeBytes),
    restartUnresponsiveMs: optional(get("restartUnresponsive"), parseDurationMs),
    hooks: hooks.said,
    lease: get("lease"),
    protected: get("protected"),
    set: { file, prefix },
  };
  const kept = [...env.kept.map((each) => `env.${each}`), ...hooks.kept.map((each) => `hooks.${each}`)];
  return { options: given, kept };
}

function optional<T, U>(value: T | undefined, read: (value: T) => U): U | undefined {
  return value === undefined ? undefined : read(value);
}

function splitKept(values: Readonly<Record<string, string | null>> | undefined): {
  readonly said: Readonly<Record<string, string>> | undefined;
  readonly kept: readonly string[];
} {
  if (values === undefined) return { said: undefined, kept: [] };
  const entries = Object.entries(values);
  const said = entries.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  return {
    said: Object.fromEntries(said),
    kept: entries.flatMap(([name, value]) => (value === null ? [name] : [])),
  };
}

function refuseCircle(profiles: readonly SetProfile[], registry: Registry): void {
  const named = new Map<string, { readonly name: string; readonly after?: readonly string[] | undefined }>(registry);
  for (const { name, options } of profiles) named.set(name, { name, after: options.after });
  const circle = findCircle(named.values());
  if (circle === undefined) return;
  const place = profiles.find(({ name }) => circle.includes(name))?.place;
  // A circle that does not involve the file is reported by `start`.
  if (place !== undefined) throw setFault(place, `after: ${circle.join(" comes after ")}: a circle`);
}

/** A file in a repository must not contain a secret. */
function secretsOf({ name, values, place }: SetEntry): readonly string[] {
  const env = (values.env ?? {}) as Readonly<Record<string, string | null>>;
  return Object.entries(env)
    .filter(([variable, value]) => value !== null && value !== "" && isSecretName(variable))
    .map(
      ([variable]) =>
        `${place.file}: the value of ${variable} of ${name} stands there for all to read; envFile and passEnv keep it out`,
    );
}
