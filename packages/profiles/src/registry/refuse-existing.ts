/** A name can be given once: in the registry, and as a folder on disk. Looks only. */
import { fileError, LockkeeperError } from "@lockkeeper/core";
import { lstatSync } from "node:fs";
import type { ProfileName } from "../profile-name.ts";
import { profilePaths } from "../profile-paths.ts";
import type { Registry } from "./registry.ts";

/**
 * Returns when `name` is free.
 *
 * @throws {LockkeeperError} PROFILE_EXISTS when a profile has it, or when its folder is there without one.
 */
export function refuseExisting(home: string, registry: Registry, name: ProfileName): void {
  if (registry.has(name)) {
    throw new LockkeeperError("PROFILE_EXISTS", `a profile named ${name} exists already in ${home}`, {
      hint: `Choose another name, or look at it: lockkeeper status ${name}`,
    });
  }
  const { profile } = profilePaths(home, name);
  if (isTaken(profile)) {
    throw new LockkeeperError("PROFILE_EXISTS", `no profile is named ${name}, but its folder exists: ${profile}`, {
      hint: `Keep what is in it elsewhere, then run it again: mv ${profile} ${profile}.kept`,
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
