/** Refuses a name that is taken, in the registry or as a folder on disk. Changes nothing. */
import { LockkeeperError } from "@lockkeeper/core";
import { fileError } from "@lockkeeper/core/internal";
import { lstatSync } from "node:fs";
import type { Manifest } from "../manifest.ts";
import type { ProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import type { Registry } from "../registry/registry.ts";

/** The profile that will get a name. */
export interface NameTaker {
  /** The profile itself, if it exists already: its own folder is no obstacle. */
  readonly self?: Manifest | undefined;
  /** The hint when another profile has the name. @default another name, or a look at that profile */
  readonly hint?: string | undefined;
}

/**
 * Returns when `name` is free.
 *
 * @throws {LockkeeperError} PROFILE_EXISTS when a profile has the name, or a folder with that name exists.
 */
export async function refuseExisting(
  home: string,
  registry: Registry,
  name: ProfileName,
  taker: NameTaker = {},
): Promise<void> {
  const { self, hint } = taker;
  if (registry.has(name)) {
    throw new LockkeeperError("PROFILE_EXISTS", `a profile named ${name} exists already in ${home}`, {
      hint: hint ?? `Choose another name, or look at it: lockkeeper status ${name}`,
    });
  }
  const { profile } = profilePaths(home, name);
  if (self?.paths.profile === profile) return;
  const keeper = [...registry.values()].find(({ paths }) => paths.profile === profile);
  if (keeper !== undefined) {
    throw new LockkeeperError(
      "PROFILE_EXISTS",
      `the folder of that name belongs to profile ${keeper.name}: ${profile}`,
      {
        hint: hint ?? `${keeper.name} was called ${name} before and keeps its folder: choose another name.`,
      },
    );
  }
  if (isTaken(profile)) {
    const { lookAtLeftFolder } = await import("./left-folder.ts");
    const { fact, advice, command } = lookAtLeftFolder({ home }, name, profile);
    throw new LockkeeperError("PROFILE_EXISTS", `no profile is named ${name}, but its folder exists: ${profile}`, {
      evidence: [fact],
      hint: `${advice}: ${command}`,
    });
  }
}

/** Returns whether neither a profile in `taken` nor a folder has the name. */
export function isFreeName(
  home: string,
  taken: { readonly has: (name: ProfileName) => boolean },
  name: ProfileName,
): boolean {
  return !taken.has(name) && !isTaken(profilePaths(home, name).profile);
}

/** A dangling link counts as taken, because a file made through it would lie elsewhere. */
function isTaken(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(error, "look at", path);
  }
}
