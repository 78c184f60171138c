/**
 * The profiles that are known: those of the registry or, while that cannot be read, those of its last good copy and those of which
 * a keeper has published a run. For verbs that look or stop. Nothing is written, and a verb that changes reads the registry alone.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { HomePlace } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { parseProfileName } from "../profile-name.ts";
import { readRegistry, requireFrom } from "../registry/registry.ts";
import type { Registry } from "../registry/registry.ts";
import type { KnownProfiles, WithoutRegistry } from "./without-registry.ts";

/** Those of a registry that was read. */
type SoundProfiles = Omit<KnownProfiles, "fault">;

const NONE: ReadonlySet<string> = new Set();

/**
 * Returns the known profiles. Warns, once for each fault, when the registry cannot be read.
 *
 * @throws {LockkeeperError} that fault when nothing is known without it; UNSAFE_PATH, since who can write the registry may have
 * written the rest.
 */
export async function knownProfiles(place: HomePlace): Promise<KnownProfiles> {
  const known = await readOrElse(place);
  if (!("fault" in known)) return known;
  if (known.fault.code === "UNSAFE_PATH") throw known.fault;
  (await import("./without-registry.ts")).warnOfRegistry(place.home, known);
  return known;
}

async function readOrElse({ home, owner }: HomePlace): Promise<SoundProfiles | WithoutRegistry> {
  try {
    return { registry: readRegistry(home, owner), byRun: NONE };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return (await import("./without-registry.ts")).profilesWithoutRegistry({ home, owner }, error);
  }
}

/** Which profiles are asked for. */
export interface KnownOptions {
  /**
   * While the registry cannot be read: those of its last good copy and of published runs, with a warning, instead of the error. For
   * verbs that look or stop; `protection` says of which of them it is not known. @default false
   */
  readonly known?: boolean | undefined;
}

/** Returns the profiles of the registry or, on request, as {@link knownProfiles}. */
export async function askedProfiles({ home, owner }: HomePlace, { known }: KnownOptions = {}): Promise<Registry> {
  return known === true ? (await knownProfiles({ home, owner })).registry : readRegistry(home, owner);
}

/** A known profile. */
export interface KnownProfile {
  readonly manifest: Manifest;
  /** Whether only a published run tells of it. */
  readonly isByRun: boolean;
}

/**
 * Returns the known profile of that name.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID; PROFILE_NOT_FOUND with the nearest names; what is wrong with the registry when it
 * might name that profile.
 */
export async function knownProfile(place: HomePlace, name: string): Promise<KnownProfile> {
  const { registry, byRun, fault } = await knownProfiles(place);
  const manifest = registry.get(parseProfileName(name));
  if (manifest === undefined && fault !== undefined) throw fault;
  return { manifest: manifest ?? requireFrom(registry, place.home, name), isByRun: byRun.has(name) };
}

/** Whether ending a profile needs its name twice; `unknown` when neither the registry nor its last good copy tells. */
export type Protection = "protected" | "open" | "unknown";

/**
 * Returns the protection of the profile. A stop of a named one needs no sound registry.
 *
 * @throws {LockkeeperError} what is wrong with the registry when nothing is known without it.
 */
export async function readProtection(place: HomePlace, name: string): Promise<Protection> {
  const { registry, byRun, fault }: KnownProfiles = await readOrElse(place);
  const manifest = [...registry.values()].find((each) => each.name === name);
  if (byRun.has(name) || (manifest === undefined && fault !== undefined)) return "unknown";
  return manifest?.protected === true ? "protected" : "open";
}
