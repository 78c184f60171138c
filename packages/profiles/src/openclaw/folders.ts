/**
 * Where OpenClaw keeps its own profiles under a user's home. Reads one directory.
 *
 * Source: OpenClaw 2026.9.6, src/cli/profile-utils.ts: `~/.openclaw` (default), `~/.openclaw-<name>`.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";

/** A state directory under a user's home. */
export interface OpenClawFolder {
  /** As OpenClaw calls the profile: `default`, `work`. */
  readonly name: string;
  readonly stateDir: string;
}

const FOLDER_NAME = /^\.openclaw(?:-(?<name>[A-Za-z0-9][A-Za-z0-9_-]{0,63}))?$/;

/** Returns the state directories under `userHome`, sorted. */
export function readOpenClawFolders(userHome: string): readonly OpenClawFolder[] {
  return entriesOf(userHome).flatMap((entry) => {
    const name = profileOfFolder(entry);
    const stateDir = path.join(userHome, entry);
    const there = name !== undefined && isDirectory(stateDir);
    return there ? [{ name, stateDir }] : [];
  });
}

/** A link that leads in a circle, or to a place that we may not read, shows no installation. */
function isDirectory(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** Returns the profile whose usual state directory has the name `entry`, or undefined. */
export function profileOfFolder(entry: string): string | undefined {
  // Most entries are something else.
  const match = entry.startsWith(".openclaw") ? FOLDER_NAME.exec(entry) : null;
  return match === null ? undefined : (match.groups?.["name"] ?? "default");
}

/** Returns the usual state directory of an OpenClaw profile. */
export function usualStateDir(userHome: string, profile: string): string {
  return path.join(userHome, profile.toLowerCase() === "default" ? ".openclaw" : `.openclaw-${profile}`);
}
