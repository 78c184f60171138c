/**
 * Restores a removed profile from the trash: its folder in one rename, and its manifest. It gets its old ports only if no
 * other profile was given them meanwhile.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean, readIfPresentSync, shellCommand } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import path from "node:path";
import { directoriesOf, refuseShared } from "../directories/directory-rules.ts";
import type { ProfilesContext } from "../context.ts";
import { statusAfterChange } from "../status/observe-all.ts";
import { completeManifest, withPort } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { nextFreeBlock } from "../ports/port-choice.ts";
import { profileClaims } from "../ports/port-claims.ts";
import { findOverlap, overlapError } from "../ports/port-overlap.ts";
import { parsePort } from "../port-number.ts";
import { freeName, parseProfileName } from "../profile-name.ts";
import type { ProfileName } from "../profile-name.ts";
import { removedManifestPath } from "../profile-paths.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { listTrash } from "./trash.ts";
import { changeRegistry } from "../registry/registry-change.ts";
import type { Registry } from "../registry/registry.ts";
import { isFreeName, refuseExisting } from "./refuse-existing.ts";

/** Options for a profile that cannot be restored unchanged. */
export interface RestoreOptions {
  /** The new base of its block. @default the old one */
  readonly port?: number | string | undefined;
}

/**
 * Restores the last removed profile of that name. Starts nothing.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND when the trash has none; PROFILE_EXISTS, PORTS_OVERLAP, DIRECTORY_SHARED naming
 * the other; REGISTRY_DAMAGED when the profile in the trash is damaged; and the errors of a change of the registry.
 */
export async function restoreProfile(
  context: ProfilesContext,
  name: string,
  options: RestoreOptions = {},
): Promise<ProfileStatus> {
  const { home } = context;
  const wanted = parseProfileName(name);
  const port = options.port === undefined ? undefined : parsePort(options.port);
  const restored = await changeRegistry(home, async ({ registry, commit }) => {
    await refuseExisting(home, registry, wanted, { hint: renameFirst(home, registry, wanted) });
    const folder = latestInTrash(home, wanted);
    const trashed = readTrashed(home, folder);
    const manifest = port === undefined ? trashed : withPort(trashed, port);
    const others = [...registry.values()];
    if (existsSync(manifest.paths.profile)) throw folderTaken(manifest, registry);
    await refuseTakenBlock(home, registry, manifest);
    refuseShared(
      directoriesOf(manifest, home),
      others.flatMap((other) => directoriesOf(other, home)),
    );
    // Its old place. A renamed gateway that stores absolute paths has a folder with another name.
    await commit([...others, manifest], {
      move: [{ from: folder, to: manifest.paths.profile }],
      discard: [removedManifestPath(manifest.paths)],
    });
    return manifest;
  });
  return statusAfterChange(context, restored);
}

/** A removed profile comes back under its own name only, so the one that has it now must get another. */
function renameFirst(home: string, registry: Registry, name: ProfileName): string | undefined {
  if (!listTrash(home).some((removed) => removed.name === name)) return undefined;
  const other = freeName(name, (free) => isFreeName(home, registry, free));
  return `The one that has the name now needs another first: lockkeeper rename ${name} ${other}`;
}

function folderTaken({ name, paths }: Manifest, registry: Registry): LockkeeperError {
  const owner = [...registry.values()].find((other) => other.paths.profile === paths.profile);
  const whose = owner === undefined ? "exists" : `belongs to profile ${owner.name} by now`;
  return new LockkeeperError(
    "PROFILE_EXISTS",
    `${name} remembers paths into its folder, which ${whose}: ${paths.profile}`,
    {
      hint:
        owner === undefined
          ? `Look what is in it: ${shellCommand("ls", paths.profile)}`
          : `Remove ${owner.name} first, if it can go.`,
    },
  );
}

function latestInTrash(home: string, name: ProfileName): string {
  const removed = listTrash(home);
  // They are sorted by time.
  const latest = removed.filter((each) => each.name === name).at(-1);
  if (latest !== undefined) return latest.path;
  const names = [...new Set(removed.map((each) => each.name))];
  throw new LockkeeperError("PROFILE_NOT_FOUND", `nothing named ${name} is in the trash of ${home}`, {
    hint:
      didYouMean(name, names) ??
      (names.length === 0 ? "The trash is empty." : `There are: ${names.sort().join(", ")}.`),
  });
}

function readTrashed(home: string, folder: string): Manifest {
  const file = removedManifestPath({ profile: folder });
  const text = readIfPresentSync(file);
  const found = text === undefined ? "there is none" : parseTrashed(home, text);
  if (typeof found !== "string") return found;
  throw new LockkeeperError("REGISTRY_DAMAGED", `the manifest of a removed profile is damaged: ${file}: ${found}`, {
    hint: `Its folder is whole; look at it: ${shellCommand("ls", path.dirname(file))}`,
  });
}

function parseTrashed(home: string, text: string): Manifest | string {
  try {
    return completeManifest(home, JSON.parse(text) as unknown);
  } catch {
    return "not JSON";
  }
}

/** The hint names a block that is free. */
async function refuseTakenBlock(home: string, registry: Registry, manifest: Manifest): Promise<void> {
  const wanted = profileClaims(manifest);
  const other = findOverlap(wanted, [...registry.values()].flatMap(profileClaims));
  if (other === undefined) return;
  const free = await nextFreeBlock(home, registry, { host: manifest.host, span: manifest.span });
  throw overlapError(
    registry,
    wanted,
    other,
    free === null
      ? `Remove or move ${other.owner} first: lockkeeper ports`
      : `Restore it on other ports: lockkeeper restore ${manifest.name} --port ${free.first}`,
  );
}
