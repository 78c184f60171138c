/**
 * The edit that makes a profile match a set: keys in the file are set, missing keys are reset. Pure except for a check of
 * `cwd`.
 */
import { DEFAULT_HOST } from "@lockkeeper/core";
import { shownTarget } from "@lockkeeper/core/internal";
import { isDeepStrictEqual } from "node:util";
import { usualHealthCheck } from "../kinds/health-check.ts";
import { kinds } from "../kinds/kinds.ts";
import { derivedOffsets } from "../life/block-options.ts";
import type { EditOptions } from "../life/edited-manifest.ts";
import { parseLease } from "../life/lease-text.ts";
import { SCHEMES } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import type { SetProfile } from "./read-set.ts";

/** A field that differs from the set but that a set may not change. */
export interface LeftField {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The edit for an existing profile. */
export interface SetEdit {
  readonly options: EditOptions;
  readonly left: readonly LeftField[];
}

/** Returns the edit. `lives`: a process of the profile runs, so changes that need a stopped profile are left out. */
export function setEdit(before: Manifest, { options, kept }: SetProfile, lives: boolean): SetEdit {
  const { port, span = kinds[before.kind].span, host = DEFAULT_HOST, lease, extraPorts = {}, ...others } = options;
  const left: LeftField[] = [];
  const leave = (field: string, from: unknown, to: unknown): undefined => {
    if (!isDeepStrictEqual(from, to)) left.push({ field, from, to });
  };
  // A block never moves: others rely on it.
  if (port !== undefined) leave("port", before.port, port);
  leave("span", before.span, span);
  const wantedLease = lease === undefined ? undefined : parseLease(lease);
  const moves = { host: before.host !== host, lease: !isDeepStrictEqual(before.lease, wantedLease) };
  if (lives && moves.host) leave("host", before.host, host);
  if (lives && moves.lease) leave("lease", before.lease ?? null, wantedLease ?? null);
  const hooks = sayHooks(before, options.hooks ?? {}, kept);
  const { name: _name, kind: _kind, argv, cwd, portEnv, protected: isProtected, ...plain } = others;
  const edit: EditOptions = {
    ...plain,
    argv,
    // Such a profile is older than the option and runs in its workspace.
    cwd: before.cwd === undefined && cwd === before.paths.workspace ? undefined : cwd,
    portEnv: portEnv === true && before.portEnv === undefined ? undefined : portEnv,
    protected: isProtected === true ? true : undefined,
    host: moves.host && !lives ? host : undefined,
    lease: moves.lease && !lives ? lease : undefined,
    hooks: Object.keys(hooks).length === 0 ? undefined : hooks,
    extraPorts: isDeepStrictEqual(extraOffsets(before), extraPorts) ? undefined : extraPorts,
  };
  return { options: { ...edit, unset: wordsToUnset(before, edit, kept, moves.lease && !lives) }, left };
}

function extraOffsets({ kind, port, ports }: Manifest): Readonly<Record<string, number>> {
  const own = { gateway: 0, ...derivedOffsets(kinds[kind]) };
  const entries = Object.entries(ports).filter(([label]) => !Object.hasOwn(own, label));
  return Object.fromEntries(entries.map(([label, value]) => [label, value - port]));
}

/** A URL is exported without its possible secrets. In that form it means the URL that the profile has. */
function sayHooks(
  before: Manifest,
  hooks: Readonly<Record<string, string>>,
  kept: readonly string[],
): Readonly<Record<string, string>> {
  const present: Readonly<Record<string, string>> = before.hooks ?? {};
  const said = Object.entries(hooks).map(([event, target]) => {
    const now = present[event];
    return [event, now !== undefined && shownTarget(now) === target ? now : target] as const;
  });
  // An edit replaces all hooks.
  const stay = Object.entries(present).filter(([event]) => kept.includes(`hooks.${event}`));
  return Object.fromEntries([...stay, ...said]);
}

function wordsToUnset(before: Manifest, edit: EditOptions, kept: readonly string[], leaseMoves: boolean): string[] {
  const words: string[] = [];
  const drop = (word: string, isThere: unknown, said: unknown): void => {
    if (isThere !== undefined && said === undefined) words.push(word);
  };
  if (before.kind !== "command") drop("argv", before.command, edit.argv);
  drop("cwd", before.cwd, edit.cwd);
  drop("env-file", before.envFile, edit.envFile);
  drop("no-port-env", before.portEnv, edit.portEnv);
  drop("scheme", before.scheme, edit.scheme);
  drop("stop-timeout", before.stopTimeoutMs, edit.stopTimeoutMs);
  drop("group", before.groups, some(edit.groups));
  drop("after", before.after, some(edit.after));
  drop("end", before.end, edit.end);
  drop("memory-restart", before.memoryRestartBytes, edit.memoryRestartBytes);
  drop("memory-max", before.memoryMaxBytes, edit.memoryMaxBytes);
  drop("restart-unresponsive", before.restartUnresponsiveMs, edit.restartUnresponsiveMs);
  if (leaseMoves) drop("lease", before.lease, edit.lease);
  const scheme = SCHEMES.find((each) => each === edit.scheme);
  const usual = usualHealthCheck(before.kind, scheme);
  if (edit.health === undefined && before.health !== usual) words.push("health");
  const variables = [...Object.keys(before.env ?? {}), ...(before.passEnv ?? [])];
  const saidVariables = new Set([...Object.keys(edit.env ?? {}), ...(edit.passEnv ?? [])]);
  for (const name of variables) {
    if (!saidVariables.has(name) && !kept.includes(`env.${name}`)) words.push(`env.${name}`);
  }
  for (const event of Object.keys(before.hooks ?? {})) {
    if (!Object.hasOwn(edit.hooks ?? {}, event) && !kept.includes(`hooks.${event}`)) words.push(`hook.${event}`);
  }
  return words;
}

function some<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
