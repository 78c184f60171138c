/**
 * The layout on disk: from a home and a checked name to every path. Pure, and the only place that knows the layout. Plain
 * concatenation, since `list` builds these for a thousand profiles at a time.
 */
import type { LockPlace } from "@lockkeeper/core";
import { sep as separator } from "node:path";
import type { ProfileName } from "./profile-name.ts";

/** Read once: `list` needs them seven times for each profile. */
const sep: string = separator;
const PROFILES = `${sep}profiles${sep}`;
const LOCK = `${sep}lock`;
const TOKEN = `${sep}token`;
const CONFIG = `${sep}config${sep}gateway.json`;
const STATE = `${sep}state`;
const WORKSPACE = `${sep}workspace`;
const LOGS = `${sep}logs`;

/** Absolute paths of the files that all profiles of a home share. */
export interface HomePaths {
  readonly home: string;
  /** The tool's settings. */
  readonly settings: string;
  readonly registry: string;
  readonly registryLastGood: string;
  /** The kernel-held mutex for changes; never deleted. */
  readonly registryLock: string;
  /** The plan of a change that touches folders, present while it runs. */
  readonly registryIntent: string;
  readonly profiles: string;
  readonly run: string;
  readonly trash: string;
  /** The folder where a clone is prepared; the next clone sweeps the remains of a killed one. */
  readonly staging: string;
  /** The lock of the staging folder, held by the process that uses it. */
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

/** Returns the paths of the files that all profiles of `home` share. */
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

/** Returns where the keeper of a profile publishes its run. */
export function runRecordPath(home: string, name: string): string {
  return `${home}${sep}run${sep}${name}.json`;
}

/** Returns where a stop of the profile may leave a timeout of its own; not the name of a record. */
export function stopRequestPath(home: string, name: string): string {
  return `${home}${sep}run${sep}${name}.stop`;
}

/** Returns the default paths of one profile; its manifest may say otherwise. */
export function profilePaths(home: string, name: ProfileName): ProfilePaths {
  return pathsInFolder(home + PROFILES, name);
}

/** Returns the paths of a profile whose folder is `profile`; with `name`, the folder of that name in `profile`. */
export function pathsInFolder(profile: string, name?: string): ProfilePaths {
  const folder = name === undefined ? profile : profile + name;
  return {
    profile: folder,
    lock: folder + LOCK,
    token: folder + TOKEN,
    config: folder + CONFIG,
    state: folder + STATE,
    workspace: folder + WORKSPACE,
    logs: folder + LOGS,
  };
}

/** Returns the file with the gateway's output; rotated ones lie beside it. */
export function gatewayLogPath({ logs }: Pick<ProfilePaths, "logs">): string {
  return `${logs}${sep}gateway.log`;
}

/** Returns the file with the profile's history. */
export function historyPath({ logs }: Pick<ProfilePaths, "logs">): string {
  return `${logs}${sep}events.jsonl`;
}

/** Returns where launchd writes what its agent prints outside of the gateway's own log. */
export function launchdLogPath({ logs }: Pick<ProfilePaths, "logs">): string {
  return `${logs}${sep}launchd.log`;
}

/** Returns the manifest that a removed profile carries in its folder. */
export function removedManifestPath({ profile }: Pick<ProfilePaths, "profile">): string {
  return `${profile}${sep}manifest.json`;
}

/**
 * Returns the place of the profile's lock. The directory belongs to this profile alone, so the owner of any lock in it owns
 * the profile.
 */
export function lockPlace({ lock, config }: Pick<ProfilePaths, "lock" | "config">): LockPlace {
  return { lockDir: lock, configPath: config, scope: "directory" };
}
