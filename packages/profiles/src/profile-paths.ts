/**
 * Where everything is on disk: from a home, and a checked name, to every path. Pure, and the only place that knows the
 * layout. Plain concatenation, since `list` builds these for a thousand profiles at a time.
 */
import type { LockPlace } from "@lockkeeper/core";
import { sep } from "node:path";
import type { ProfileName } from "./profile-name.ts";

/** Absolute paths of what all profiles of a home share. */
export interface HomePaths {
  readonly home: string;
  /** The tool's settings. */
  readonly settings: string;
  readonly registry: string;
  readonly registryLastGood: string;
  /** The kernel-held mutex for changes; never deleted. */
  readonly registryLock: string;
  /** What a change that also touches folders is about to do, while it does it. */
  readonly registryIntent: string;
  readonly profiles: string;
  readonly run: string;
  readonly trash: string;
  /** Where a clone grows until it is whole; what a killed one leaves there is swept by the next. */
  readonly staging: string;
  /** Held by the process that uses it. */
  readonly stagingLock: string;
}

/** Absolute paths of one profile. */
export interface ProfilePaths {
  readonly profile: string;
  /** The directory of the profile's lock file. */
  readonly lock: string;
  readonly token: string;
  /** The gateway's config file. */
  readonly config: string;
  readonly state: string;
  readonly workspace: string;
  /** The directory of the gateway's output and the profile's history. */
  readonly logs: string;
}

/** Returns the paths of what all profiles of `home` share. */
export function homePaths(home: string): HomePaths {
  return {
    home,
    settings: `${home}${sep}config.json`,
    registry: `${home}${sep}registry.json`,
    registryLastGood: `${home}${sep}registry.last-good.json`,
    registryLock: `${home}${sep}registry.lock`,
    registryIntent: `${home}${sep}registry.intent.json`,
    profiles: `${home}${sep}profiles`,
    run: `${home}${sep}run`,
    trash: `${home}${sep}trash`,
    staging: `${home}${sep}staging`,
    stagingLock: `${home}${sep}staging.lock`,
  };
}

/** Returns the paths of one profile, as they are unless its manifest says otherwise. */
export function profilePaths(home: string, name: ProfileName): ProfilePaths {
  return pathsInFolder(`${home}${sep}profiles${sep}${name}`);
}

/** Returns the paths of a profile whose folder is `profile`. */
export function pathsInFolder(profile: string): ProfilePaths {
  return {
    profile,
    lock: `${profile}${sep}lock`,
    token: `${profile}${sep}token`,
    config: `${profile}${sep}config${sep}gateway.json`,
    state: `${profile}${sep}state`,
    workspace: `${profile}${sep}workspace`,
    logs: `${profile}${sep}logs`,
  };
}

/** Returns where the profile's lock is: the directory is the profile's own, so whoever owns anything in it owns the profile. */
export function lockPlace({ lock, config }: Pick<ProfilePaths, "lock" | "config">): LockPlace {
  return { lockDir: lock, configPath: config, scope: "directory" };
}
