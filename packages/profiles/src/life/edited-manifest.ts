/**
 * The manifest after an edit: given options replace, missing options stay, unset options go. Pure except for a check of
 * `cwd`.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean } from "@lockkeeper/core/internal";
import { usualHealthCheck } from "../kinds/health-check.ts";
import { kinds } from "../kinds/kinds.ts";
import { HOOK_EVENTS, withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { parsePort } from "../port-number.ts";
import { checkExtraPorts, checkHost, checkSpan, derivedOffsets } from "./block-options.ts";
import { checkProfileOptions } from "./profile-options.ts";
import type { ProfileOptions } from "./profile-options.ts";

/** The options of an edit. */
export interface EditOptions extends ProfileOptions {
  /** Base of the block. */
  readonly port?: number | string | undefined;
  readonly span?: number | undefined;
  readonly host?: string | undefined;
  /** Extra named ports, as distances from the base; they replace the present ones. */
  readonly extraPorts?: Readonly<Record<string, number>> | undefined;
  /** Options to reset, as typed: `env.NAME`, `env-file`, `group`, `hook.failed`. */
  readonly unset?: readonly string[] | undefined;
  /** Only report what would change. @default false */
  readonly dryRun?: boolean | undefined;
}

/** The fields that each word of `--unset` resets, besides the entries of `env` and `hook`. */
const UNSETTABLE: Readonly<Record<string, keyof ProfileOptions | "extraPorts">> = {
  argv: "argv",
  cwd: "cwd",
  env: "env",
  "env-file": "envFile",
  "no-port-env": "portEnv",
  health: "health",
  scheme: "scheme",
  "stop-timeout": "stopTimeoutMs",
  group: "groups",
  after: "after",
  end: "end",
  "memory-restart": "memoryRestartBytes",
  "memory-max": "memoryMaxBytes",
  "restart-unresponsive": "restartUnresponsiveMs",
  hook: "hooks",
  "extra-port": "extraPorts",
  lease: "lease",
  protected: "protected",
  set: "set",
};

type Changing = { -readonly [K in keyof Manifest]: Manifest[K] };

/**
 * Returns `before` as it is after the edit.
 *
 * @throws {LockkeeperError} OPTION_INVALID, PORT_INVALID, PROFILE_NAME_INVALID naming the value; USAGE when one edit sets and unsets the same.
 */
export function applyEdit(before: Manifest, options: EditOptions): Manifest {
  const after: Changing = { ...before };
  refuseSetAndUnset(options);
  for (const word of options.unset ?? []) unset(after, word);
  const fields = checkProfileOptions(before.name, before.kind, { ...limitsOf(after), ...given(options) });
  const { env, passEnv, ...others } = fields;
  Object.assign(after, others);
  mergeEnvironment(after, env ?? {}, passEnv ?? []);
  moveBlock(after, options);
  if (options.health === undefined) followScheme(before, after, options.unset?.includes("health") ?? false);
  return tidy(after);
}

/** Checks the two limits together; a missing one is the present one. */
function limitsOf({ memoryRestartBytes, memoryMaxBytes }: Manifest): ProfileOptions {
  return { memoryRestartBytes, memoryMaxBytes };
}

function given(options: EditOptions): ProfileOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function refuseSetAndUnset(options: EditOptions): void {
  for (const word of options.unset ?? []) {
    const [option = "", entry] = splitWord(word);
    const field = UNSETTABLE[option];
    if (field === undefined) continue;
    const set = options[field];
    const names =
      field === "env" ? [...Object.keys(options.env ?? {}), ...(options.passEnv ?? [])] : Object.keys(set ?? {});
    const clashes =
      entry === undefined ? set !== undefined && (typeof set !== "object" || names.length > 0) : names.includes(entry);
    if (clashes) {
      throw new LockkeeperError("USAGE", `--unset ${word} contradicts what is set in the same command`, {
        hint: "Give one or the other.",
      });
    }
  }
}

function unset(after: Changing, word: string): void {
  const [option = "", entry] = splitWord(word);
  const field = UNSETTABLE[option];
  const takesEntry = field === "env" || field === "hooks" || field === "extraPorts";
  if (field === undefined || (entry !== undefined && !takesEntry)) throw unknownWord(word);
  switch (field) {
    case "argv":
      if (after.kind === "command") throw unknownWord(word);
      delete after.command;
      return;
    case "env":
      return unsetVariable(after, entry);
    case "hooks":
      if (entry !== undefined && !HOOK_EVENTS.some((event) => event === entry)) throw unknownWord(word);
      after.hooks = entry === undefined ? {} : without(after.hooks ?? {}, entry);
      return;
    case "extraPorts":
      return unsetExtraPort(after, entry);
    case "health":
      // The default check depends on the other edits.
      return;
    case "protected":
      after.protected = false;
      return;
    default:
      delete after[field];
  }
}

function splitWord(word: string): readonly string[] {
  const dot = word.indexOf(".");
  return dot === -1 ? [word] : [word.slice(0, dot), word.slice(dot + 1)];
}

function unsetVariable(after: Changing, name: string | undefined): void {
  after.env = name === undefined ? {} : without(after.env ?? {}, name);
  after.passEnv = name === undefined ? [] : (after.passEnv ?? []).filter((passed) => passed !== name);
}

function unsetExtraPort(after: Changing, label: string | undefined): void {
  const own = ["gateway", ...kinds[after.kind].derived.map((range) => range.name)];
  if (label !== undefined && own.includes(label)) throw unknownWord(`extra-port.${label}`);
  after.ports = Object.fromEntries(
    Object.entries(after.ports).filter(([name]) => own.includes(name) || (label !== undefined && name !== label)),
  );
}

/** A variable with a value is no longer passed on from the starter, and the other way round. */
function mergeEnvironment(after: Changing, env: Readonly<Record<string, string>>, passEnv: readonly string[]): void {
  const names = Object.keys(env);
  const passed = (after.passEnv ?? []).filter((name) => !names.includes(name));
  after.passEnv = [...passed, ...passEnv.filter((name) => !passed.includes(name))];
  const kept = Object.entries(after.env ?? {}).filter(([name]) => !passEnv.includes(name));
  after.env = { ...Object.fromEntries(kept), ...env };
}

function moveBlock(after: Changing, { port, span, host, extraPorts }: EditOptions): void {
  const kind = kinds[after.kind];
  if (host !== undefined) after.host = checkHost(host);
  if (port !== undefined) Object.assign(after, withPort(after, parsePort(port)));
  // The block of an adopted gateway may be shorter than usual, so it is checked only when it changes.
  if (span !== undefined || port !== undefined) after.span = checkSpan(span ?? after.span, kind, after.port);
  const own = { gateway: 0, ...derivedOffsets(kind) };
  const present = Object.entries(after.ports).map(([label, value]) => [label, value - after.port] as const);
  const extra = extraPorts ?? Object.fromEntries(present.filter(([label]) => !Object.hasOwn(own, label)));
  if (extraPorts === undefined && span === undefined) return;
  const offsets = { ...own, ...checkExtraPorts(extra, kind, after.span) };
  after.ports = Object.fromEntries(Object.entries(offsets).map(([label, offset]) => [label, after.port + offset]));
}

/** A default check follows the scheme; a check with the same word as the default counts as default. */
function followScheme(before: Manifest, after: Changing, isUnset: boolean): void {
  const moves = before.scheme !== after.scheme && before.health === usualHealthCheck(before.kind, before.scheme);
  if (isUnset || moves) after.health = usualHealthCheck(after.kind, after.scheme);
}

/** Empty values are not stored. */
function tidy(manifest: Changing): Manifest {
  const entries = Object.entries(manifest).filter(([field, value]) => {
    const mayBeEmpty = field === "ports" || field === "paths";
    return mayBeEmpty || typeof value !== "object" || Object.keys(value).length > 0;
  });
  return Object.fromEntries(entries) as unknown as Manifest;
}

function without<T extends object>(record: T, key: string): T {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key)) as T;
}

function unknownWord(word: string): LockkeeperError {
  const words = Object.keys(UNSETTABLE);
  return new LockkeeperError("OPTION_INVALID", `--unset cannot take back ${JSON.stringify(word)}`, {
    hint:
      didYouMean(word, words) ??
      `It takes: ${words.join(", ")}; env.NAME, hook.EVENT or extra-port.NAME for one of several.`,
  });
}
