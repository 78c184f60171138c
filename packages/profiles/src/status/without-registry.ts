/** What is known of the profiles of a home whose registry cannot be read: see `known-profiles.ts`. */
import { LockkeeperError } from "@lockkeeper/core";
import { warn } from "@lockkeeper/core/internal";
import type { RunRecord } from "@lockkeeper/core";
import type { HomePlace } from "../context.ts";
import { isKindName, kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { isProfileName, parseProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import { inRegistryOrder, readLastGood } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import { readRunRecords } from "./run-records.ts";

/** The profiles of one home, and where they are from. */
export interface KnownProfiles {
  readonly registry: Registry;
  /** Those of which only a published run tells: what they are protected from, and their settings, is not known. */
  readonly byRun: ReadonlySet<string>;
  /** Why the registry cannot be read; undefined when it was read. */
  readonly fault?: LockkeeperError | undefined;
}

/** Known profiles without a registry. */
export interface WithoutRegistry extends KnownProfiles {
  readonly fault: LockkeeperError;
  readonly hasCopy: boolean;
}

/**
 * Returns the profiles of the last good copy, and those that only a published run names.
 *
 * @throws {LockkeeperError} `fault` when there is neither a copy nor a run.
 */
export function profilesWithoutRegistry({ home, owner }: HomePlace, fault: LockkeeperError): WithoutRegistry {
  const copy = readLastGood(home);
  const runs = [...readRuns({ home, owner })].filter(([name]) => isProfileName(name) && copy?.has(name) !== true);
  if (copy === undefined && runs.length === 0) throw fault;
  const published = runs.map(([name, record]) => manifestOfRun(home, name, record));
  const manifests = inRegistryOrder([...(copy?.values() ?? []), ...published], copy);
  return {
    registry: new Map(manifests.map((each) => [each.name, each])),
    byRun: new Set(published.map(({ name }) => name)),
    fault,
    hasCopy: copy !== undefined,
  };
}

/** Faults that were told, by home: a watch reads again and again. */
const told = new Map<string, string>();

/** Warns once of a registry that cannot be read, with what is known without it and what mends it. */
export function warnOfRegistry(home: string, { fault, hasCopy }: WithoutRegistry): void {
  const { code, message, hint } = fault;
  if (told.get(home) === message) return;
  told.set(home, message);
  const source = hasCopy
    ? "profiles are known from its last good copy"
    : "only profiles that have run are known, and not whether they are protected";
  warn(`${message}; ${source}; nothing changes them until it is mended. ${hint ?? ""}`.trimEnd(), code);
}

function readRuns({ home, owner }: HomePlace): ReadonlyMap<string, RunRecord> {
  try {
    return readRunRecords(home, owner);
  } catch (error) {
    if (error instanceof LockkeeperError) return new Map();
    throw error;
  }
}

/** Rebuilds a manifest from a published run. A record of the first release has no kind; only OpenClaw's ports show it. */
export function manifestOfRun(home: string, profile: string, record: RunRecord): Manifest {
  const { kind: named, host, port, ports, since } = record;
  const name = parseProfileName(profile);
  const guessed = "cdp" in ports ? "openclaw" : "command";
  const kind = named !== undefined && isKindName(named) ? named : guessed;
  return {
    schemaVersion: 1,
    name,
    kind,
    host,
    port,
    span: kinds[kind].span,
    ports,
    health: "tcp",
    protected: false,
    createdAt: since,
    paths: profilePaths(home, name),
  };
}
