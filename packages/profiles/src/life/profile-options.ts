/**
 * The options of a profile besides its name, kind and ports: the same at `create` and at `edit`, with the same checks. Only
 * given options are checked. Changes nothing.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { shownTarget } from "@lockkeeper/core/internal";
import type { HookEvent } from "@lockkeeper/core/internal";
import { statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { LONGEST_DURATION_MS, formatSizeBytes } from "../amounts.ts";
import { checkPlaceholders, templateValues } from "../kinds/argv-template.ts";
import { formatHealthCheck, parseHealthCheck } from "../kinds/health-check.ts";
import { END_SCOPES, HOOK_EVENTS, SCHEMES } from "../manifest.ts";
import type { EndScope, KindName, Manifest, Scheme, SetOrigin } from "../manifest.ts";
import { NAME_PATTERN, parseProfileName } from "../profile-name.ts";
import type { ProfileName } from "../profile-name.ts";
import { parseLease } from "./lease-text.ts";

/** Options that `create` and `edit` share. Absent: not given. */
export interface ProfileOptions {
  /** What to run, with placeholders; no shell. For `openclaw`: its program and first arguments. */
  readonly argv?: readonly string[] | undefined;
  /** Where it runs. */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Names of variables taken from the starter's environment. */
  readonly passEnv?: readonly string[] | undefined;
  readonly envFile?: string | undefined;
  /** `/path`, `tcp` or `none`. */
  readonly health?: string | undefined;
  /** False: no `PORT` and `HOST` in its environment. */
  readonly portEnv?: boolean | undefined;
  /** `http` or `https`: the scheme of its address. */
  readonly scheme?: string | undefined;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs?: number | undefined;
  /** With or without the `@`. */
  readonly groups?: readonly string[] | undefined;
  /** Profiles that are started before it. */
  readonly after?: readonly string[] | undefined;
  /** `group` or `all`: which processes a stop ends. */
  readonly end?: string | undefined;
  readonly memoryRestartBytes?: number | undefined;
  readonly memoryMaxBytes?: number | undefined;
  readonly restartUnresponsiveMs?: number | undefined;
  /** Event to target: an absolute program path, an http(s) URL, or `env:NAME`. */
  readonly hooks?: Readonly<Record<string, string>> | undefined;
  /** `etcd://host:port[,host:port...]/key`. */
  readonly lease?: string | undefined;
  readonly protected?: boolean | undefined;
  /** The file of a set that it belongs to. */
  readonly set?: SetOrigin | undefined;
}

/** The fields of a manifest that {@link ProfileOptions} set. */
export type OptionFields = Partial<
  Pick<
    Manifest,
    | "command"
    | "cwd"
    | "env"
    | "passEnv"
    | "envFile"
    | "health"
    | "portEnv"
    | "scheme"
    | "stopTimeoutMs"
    | "groups"
    | "after"
    | "end"
    | "memoryRestartBytes"
    | "memoryMaxBytes"
    | "restartUnresponsiveMs"
    | "hooks"
    | "lease"
    | "protected"
    | "set"
  >
>;

/** A smaller value is a typing mistake: no runtime starts in a mebibyte. */
const LEAST_MEMORY_BYTES = 1024 ** 2;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Returns the fields for the given options, checked one by one; an empty list or record omits its field.
 *
 * @throws {LockkeeperError} OPTION_INVALID naming option and value; PROFILE_NAME_INVALID for a name in `after`.
 */
export function checkProfileOptions(name: ProfileName, kind: KindName, options: ProfileOptions): OptionFields {
  const { argv = [], memoryRestartBytes: restartBytes, memoryMaxBytes: maxBytes } = options;
  if (kind === "builtin" && argv.length > 0) {
    throw invalid("argv", argv[0], "The built-in gateway runs no program of yours: leave --kind away.");
  }
  if (restartBytes !== undefined && maxBytes !== undefined && restartBytes > maxBytes) {
    const [restart, most] = [formatSizeBytes(restartBytes), formatSizeBytes(maxBytes)];
    throw invalid("memory limit", restart, `It would never be reached below --memory-max ${most}.`);
  }
  return {
    ...fieldFor("command", nonEmpty(argv), checkArguments),
    ...fieldFor("cwd", options.cwd, checkDirectory),
    ...fieldFor("env", nonEmpty(options.env), checkEnvironment),
    ...fieldFor("passEnv", nonEmpty(options.passEnv), (names) => names.map(checkVariable)),
    ...fieldFor("envFile", options.envFile, (file) => resolve(file)),
    ...fieldFor("health", options.health, (text) => formatHealthCheck(parseHealthCheck(text, kind))),
    ...fieldFor("portEnv", options.portEnv, (portEnv) => portEnv),
    ...fieldFor("scheme", options.scheme, checkScheme),
    ...fieldFor("stopTimeoutMs", options.stopTimeoutMs, (ms) => checkDuration("stop timeout", ms)),
    ...fieldFor("groups", nonEmpty(options.groups), (groups) => groups.map(checkGroup)),
    ...fieldFor("after", nonEmpty(options.after), (names) => checkAfter(name, names)),
    ...fieldFor("end", options.end, checkEnd),
    ...fieldFor("memoryRestartBytes", restartBytes, checkMemory),
    ...fieldFor("memoryMaxBytes", maxBytes, checkMemory),
    ...fieldFor("restartUnresponsiveMs", options.restartUnresponsiveMs, (ms) => checkDuration("time to restart", ms)),
    ...fieldFor("hooks", nonEmpty(options.hooks), checkHooks),
    ...fieldFor("lease", options.lease, parseLease),
    ...fieldFor("protected", options.protected, (isProtected) => isProtected),
    ...fieldFor("set", options.set, (set) => set),
  };
}

/**
 * Returns when the new values in `env` have no placeholder that would stay unfilled.
 *
 * @throws {LockkeeperError} OPTION_INVALID naming variable and placeholder.
 */
export function refuseUnknownPlaceholders(manifest: Manifest, env: Readonly<Record<string, string>>): void {
  const values = templateValues(manifest, manifest.port);
  for (const [name, text] of Object.entries(env)) checkPlaceholders(name, text, values);
}

function fieldFor<K extends keyof OptionFields, T, U>(
  field: K,
  value: T | undefined,
  check: (value: T) => U,
): Partial<Record<K, U>> {
  return value === undefined ? {} : ({ [field]: check(value) } as Partial<Record<K, U>>);
}

function nonEmpty<T extends object>(value: T | undefined): T | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}

function checkArguments(argv: readonly string[]): readonly string[] {
  const bad = argv.find((argument) => argument.includes("\0"));
  if (bad !== undefined) throw invalid("argument", bad, "An argument cannot hold a zero byte.");
  if (argv[0] === "") throw invalid("program", "", "Name a program.");
  return argv;
}

function checkEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(env)) {
    checkVariable(key);
    if (value.includes("\0")) throw invalid(`env ${key}`, value, "A value cannot hold a zero byte.");
  }
  return env;
}

function checkVariable(name: string): string {
  if (!VARIABLE_NAME.test(name)) throw invalid("env", name, "A variable is letters, digits and underscores.");
  return name;
}

function checkDirectory(path: string): string {
  const directory = resolve(path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw invalid("cwd", directory, "Name a directory that exists.");
  }
  return directory;
}

function checkScheme(text: string): Scheme {
  const scheme = SCHEMES.find((known) => known === text);
  if (scheme === undefined) throw invalid("scheme", text, `Give one of ${SCHEMES.join(", ")}.`);
  return scheme;
}

function checkEnd(text: string): EndScope {
  const end = END_SCOPES.find((known) => known === text);
  if (end === undefined) throw invalid("end", text, "Give group or all.");
  return end;
}

function checkDuration(what: string, durationMs: number): number {
  if (Number.isInteger(durationMs) && durationMs >= 1 && durationMs <= LONGEST_DURATION_MS) return durationMs;
  throw invalid(what, durationMs, `It is a whole number of milliseconds, at most ${LONGEST_DURATION_MS}.`);
}

function checkMemory(sizeBytes: number): number {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes >= LEAST_MEMORY_BYTES) return sizeBytes;
  throw invalid("memory limit", sizeBytes, "Give a size such as 512M or 2G.");
}

/** A group is stored like a profile name; the `@` belongs to the command line. */
function checkGroup(text: string): string {
  const group = text.startsWith("@") ? text.slice(1) : text;
  if (new RegExp(NAME_PATTERN, "u").test(group)) return group;
  throw invalid("group", text, "Use 1 to 32 lower-case letters, digits and hyphens.");
}

function checkAfter(name: ProfileName, names: readonly string[]): readonly ProfileName[] {
  return names.map((text) => {
    const other = parseProfileName(text);
    if (other === name) throw invalid("after", text, "A profile cannot come after itself.");
    return other;
  });
}

function checkHooks(hooks: Readonly<Record<string, string>>): Readonly<Partial<Record<HookEvent, string>>> {
  for (const [event, target] of Object.entries(hooks)) {
    if (!HOOK_EVENTS.some((known) => known === event)) {
      throw invalid("hook", shownTarget(event), `Known events: ${HOOK_EVENTS.join(", ")}.`);
    }
    if (!isHookTarget(target)) {
      throw invalid(
        `hook for ${event}`,
        shownTarget(target),
        "Give an absolute program path, an http(s) URL, or env:NAME.",
      );
    }
  }
  return hooks;
}

function isHookTarget(target: string): boolean {
  if (target.startsWith("env:")) return VARIABLE_NAME.test(target.slice("env:".length));
  if (/^https?:\/\//i.test(target)) return URL.canParse(target);
  return isAbsolute(target) && !target.includes("\0");
}

function invalid(what: string, value: unknown, hint: string): LockkeeperError {
  return new LockkeeperError("OPTION_INVALID", `not a valid ${what}: ${JSON.stringify(value)}`, { hint });
}
