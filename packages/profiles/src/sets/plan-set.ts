/**
 * Plans the steps that make the profiles of a set match their file. Changes nothing. A plan never deletes a profile, starts a
 * stopped one, moves a port, or touches a protected profile or one that belongs to another file.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { shellCommand } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import type { ProfilesContext } from "../context.ts";
import { checkCreateOptions } from "../life/create-options.ts";
import { applyEdit } from "../life/edited-manifest.ts";
import type { EditOptions } from "../life/edited-manifest.ts";
import { manifestChanges } from "../life/manifest-changes.ts";
import type { FieldChange } from "../life/manifest-changes.ts";
import type { Manifest } from "../manifest.ts";
import { manifestOf } from "../life/create.ts";
import { refuseUnknownPlaceholders } from "../life/profile-options.ts";
import { launchPlan } from "../run/launch-plan.ts";
import { profilePaths } from "../profile-paths.ts";
import { readSettings } from "../settings/settings.ts";
import { setFault } from "./set-document.ts";
import { blockOf, profileClaims } from "../ports/port-claims.ts";
import { refuseOverlap } from "../ports/port-overlap.ts";
import type { PortClaim } from "../ports/port-plan.ts";
import { readRegistry } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { planRestart } from "../registry/start-order.ts";
import { observeAll } from "../status/observe-all.ts";
import { actsOnARun, hasPendingChange } from "../status/pending-change.ts";
import type { ProfileSet, SetProfile } from "./read-set.ts";
import { setEdit } from "./set-edit.ts";

/** One step of the plan; steps are in the order of execution. */
export interface SetChange {
  readonly profile: string;
  readonly action: "create" | "edit" | "restart";
  /** The fields that it sets or changes; empty for a restart. */
  readonly fields: readonly FieldChange[];
}

/** A request of the file that the plan leaves undone. */
export interface LeftOut {
  readonly profile: string;
  /** Null: the whole profile, because it is protected or of another kind. */
  readonly field: string | null;
  readonly reason: string;
  /** One command that does it, or null. */
  readonly hint: string | null;
  /** `asked`: a person must act before the profile matches the file. `protected`: this is intended. */
  readonly weight: "asked" | "protected";
}

/** A contract with scripts: fields are added, never renamed or removed. */
export interface SetPlan {
  readonly file: string;
  readonly prefix: string;
  readonly changes: readonly SetChange[];
  /** Profiles of the home that belong to no file, or that were removed from this file. They are left alone. */
  readonly unmanaged: readonly string[];
  readonly left: readonly LeftOut[];
  /** Profiles that already match and will now belong to this file. */
  readonly claims: readonly string[];
  readonly warnings: readonly string[];
}

/** The plan with the data to carry it out. */
export interface PreparedPlan {
  readonly plan: SetPlan;
  readonly creates: readonly SetProfile[];
  readonly edits: readonly { readonly name: string; readonly options: EditOptions }[];
  /** The new manifests of the profiles that will be restarted. */
  readonly restarts: readonly Manifest[];
}

/**
 * Returns the plan.
 *
 * @throws {LockkeeperError} SET_CONFLICT when a name belongs to another file; PORTS_OVERLAP when a fixed port is taken.
 */
export async function planSet(context: ProfilesContext, set: ProfileSet): Promise<PreparedPlan> {
  const registry = readRegistry(context.home);
  refuseOthers(registry, set);
  const creates = set.profiles.filter(({ name }) => !registry.has(name));
  for (const profile of creates) refuseUnlaunchable(profile, draftOf(context.home, profile));
  refuseOverlaps(registry, creates);
  const present = set.profiles.flatMap((profile) => {
    const manifest = registry.get(profile.name);
    return manifest === undefined ? [] : [{ profile, manifest }];
  });
  const observations = await observeAll(
    context,
    present.map(({ manifest }) => manifest),
  );
  const changes: SetChange[] = creates.map(({ name, options }) => {
    return { profile: name, action: "create", fields: fieldsOf(options) };
  });
  const edits: { name: string; options: EditOptions }[] = [];
  const restarts = new Map<string, Manifest>();
  const left: LeftOut[] = [];
  const claims: string[] = [];
  for (const [index, { profile, manifest }] of present.entries()) {
    const { name } = profile;
    const observation = observations[index];
    const { keeper = null, gateway = null, state = "stopped" } = observation?.observed ?? {};
    const lives = keeper !== null || gateway !== null;
    if (profile.options.kind !== manifest.kind) {
      const reason = `its kind is ${manifest.kind}, and a kind never changes: the file says ${profile.options.kind}`;
      left.push({ profile: name, field: "kind", reason, hint: null, weight: "asked" });
      continue;
    }
    const edit = setEdit(manifest, profile, lives);
    const after = applyEdit(manifest, edit.options);
    refuseUnlaunchable(profile, after);
    const fields = manifestChanges(manifest, after).filter(({ field }) => field !== "set");
    if (manifest.protected) {
      if (fields.length + edit.left.length > 0) left.push(isProtected(name, [...fields, ...edit.left]));
      continue;
    }
    left.push(...edit.left.map((each) => leftField(name, each)));
    if (fields.length > 0) {
      changes.push({ profile: name, action: "edit", fields });
      edits.push({ name, options: edit.options });
    } else if (manifest.set?.file !== set.file || manifest.set.prefix !== set.prefix) {
      claims.push(name);
    }
    const isStale = observation !== undefined && hasPendingChange(observation);
    const acts = fields.some(({ field }) => actsOnARun(field.split(".")[0] ?? field));
    if (lives && state !== "external" && (isStale || acts)) restarts.set(name, after);
  }
  const { steps } = planRestart(registry, [...restarts.keys()]);
  for (const { name } of steps) changes.push({ profile: name, action: "restart", fields: [] });
  const plan: SetPlan = {
    file: set.file,
    prefix: set.prefix,
    changes,
    unmanaged: unmanagedBy(registry, set),
    left,
    claims,
    warnings: [...set.warnings, ...creates.flatMap(lackOf)],
  };
  return { plan, creates, edits, restarts: [...restarts.values()] };
}

/** The profile as it would be created. Its port is arbitrary, because only the program is checked, not the place. */
function draftOf(home: string, { options }: SetProfile): Manifest {
  const checked = checkCreateOptions(options);
  return manifestOf(checked, checked.port ?? readSettings(home).poolFirst, profilePaths(home, checked.name));
}

/** Reports a reason to refuse a start at its place in the file. */
function refuseUnlaunchable({ options, place }: SetProfile, manifest: Manifest): void {
  try {
    launchPlan(manifest, "");
    refuseUnknownPlaceholders(manifest, options.env ?? {});
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    throw setFault(place, `${manifest.name}: ${error.message}`, error.hint);
  }
}

/** A file that no longer exists owns nothing: its folder was moved. */
function refuseOthers(registry: Registry, set: ProfileSet): void {
  for (const { name } of set.profiles) {
    const owner = registry.get(name)?.set?.file;
    if (owner === undefined || owner === set.file || !existsSync(owner)) continue;
    throw new LockkeeperError("SET_CONFLICT", `${name} belongs to another file: ${owner}`, {
      hint: `Give the names of this one a prefix (--prefix b-), or release it there: ${shellCommand("lockkeeper", "edit", name, "--unset", "set")}`,
    });
  }
}

/**
 * Checks the ports that the file fixes against the registry and against each other. The host is asked later, when ports are
 * chosen.
 */
function refuseOverlaps(registry: Registry, creates: readonly SetProfile[]): void {
  const claims: PortClaim[] = [...registry.values()].flatMap(profileClaims);
  for (const { options } of creates) {
    const { name, port, span } = checkCreateOptions(options);
    if (port === undefined) continue;
    const block = blockOf({ port, span });
    refuseOverlap(registry, [block], claims, `Omit "port" to get a free block, or see who has what: lockkeeper ports`);
    claims.push({ ...block, by: "profile", owner: name, label: "" });
  }
}

/** Values of variables and hooks are never shown. */
function fieldsOf(options: SetProfile["options"]): readonly FieldChange[] {
  const { name: _name, argv, set: _set, ...others } = options;
  const said = Object.entries({ kind: options.kind, command: argv, ...others }).filter(
    ([, value]) => value !== undefined,
  );
  return said.flatMap(([field, value]): readonly FieldChange[] => {
    if (field !== "env" && field !== "hooks") return [{ field, from: null, to: value, kind: "added" }];
    return Object.keys(value ?? {}).map((key) => ({ field: `${field}.${key}`, from: null, to: null, kind: "added" }));
  });
}

function isProtected(name: string, differences: readonly { readonly field: string }[]): LeftOut {
  const fields = differences.map(({ field }) => field).join(", ");
  return {
    profile: name,
    field: null,
    reason: `it is protected and left as it is (differs in ${fields})`,
    hint: shellCommand("lockkeeper", "unprotect", name, "--confirm", name),
    weight: "protected",
  };
}

function leftField(name: string, { field, from, to }: { field: string; from: unknown; to: unknown }): LeftOut {
  const value = typeof to === "object" ? undefined : String(to);
  const reason =
    field === "port" || field === "span"
      ? `its ${field} stays ${String(from)}: no set moves a block, and the file says ${value}`
      : `its ${field} changes only while it is stopped`;
  const hint = value === undefined ? null : shellCommand("lockkeeper", "edit", name, `--${field}`, value);
  return { profile: name, field, reason, hint, weight: "asked" };
}

function unmanagedBy(registry: Registry, set: ProfileSet): readonly string[] {
  const named = new Set(set.profiles.map(({ name }) => name));
  return [...registry.values()]
    .filter(({ name, set: owner }) => {
      if (named.has(name)) return false;
      return owner === undefined || (owner.file === set.file && owner.prefix === set.prefix);
    })
    .map(({ name }) => name);
}

/** A value that should be kept but does not exist yet. */
function lackOf({ name, kept }: SetProfile): readonly string[] {
  return kept.map((each) =>
    each.startsWith("env.")
      ? `${name}: ${each} has no value yet: ${shellCommand("lockkeeper", "edit", name, "--env", `${each.slice(4)}=...`)}`
      : `${name}: ${each} has no target yet`,
  );
}
