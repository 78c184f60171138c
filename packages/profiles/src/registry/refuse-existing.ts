/** A name can be given once: in the registry, and as a folder on disk. Looks only. */
import { fileError, LockkeeperError, shellCommand } from "@lockkeeper/core";
import { lstatSync } from "node:fs";
import type { Manifest } from "../manifest.ts";
import type { ProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import type { Registry } from "./registry.ts";

/**
 * Returns when `name` is free.
 *
 * @param self the profile that is to have the name, when it is there already: its own folder does not stand in its way
 * @throws {LockkeeperError} PROFILE_EXISTS when a profile has it, or its folder, or when its folder is there without one.
 */
export function refuseExisting(home: string, registry: Registry, name: ProfileName, self?: Manifest): void {
  if (registry.has(name)) {
    throw new LockkeeperError("PROFILE_EXISTS", `a profile named ${name} exists already in ${home}`, {
      hint: `Choose another name, or look at it: lockkeeper status ${name}`,
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
        hint: `${keeper.name} was called ${name} before and keeps its folder: choose another name.`,
      },
    );
  }
  if (isTaken(profile)) {
    throw new LockkeeperError("PROFILE_EXISTS", `no profile is named ${name}, but its folder exists: ${profile}`, {
      hint: `Keep what is in it elsewhere, then run it again: ${shellCommand("mv", profile, `${profile}.kept`)}`,
    });
  }
}

/** A link that leads nowhere takes the place too: what is made through it would lie elsewhere. */
function isTaken(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(error, "look at", path);
  }
}
