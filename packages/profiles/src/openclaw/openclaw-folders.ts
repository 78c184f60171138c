/**
 * Where OpenClaw keeps its own profiles, and the ports that it has always given to two of them. Reads one directory.
 *
 * Source: OpenClaw 2026.9.6: `~/.openclaw` (default), `~/.openclaw-<name>`; without `gateway.port` the default listens on
 * 18789 and `dev` on 19001, any other on a hash of its name, which cannot be known from here.
 */
import { DEFAULT_PORT } from "@lockkeeper/core";
import { statSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../directory-entries.ts";

/** A state directory under a user's home. */
export interface OpenClawFolder {
  /** As OpenClaw calls the profile: `default`, `work`. */
  readonly name: string;
  readonly stateDir: string;
}

/** By OpenClaw's own name of the profile. */
export const openClawDefaultPorts: ReadonlyMap<string, number> = new Map([
  ["default", DEFAULT_PORT],
  ["dev", 19_001],
]);

const folderName = /^\.openclaw(?:-(?<name>[A-Za-z0-9][A-Za-z0-9_-]*))?$/;

/** Returns the state directories under `userHome`, sorted. */
export function readOpenClawFolders(userHome: string): readonly OpenClawFolder[] {
  return entriesOf(userHome).flatMap((entry) => {
    const match = folderName.exec(entry);
    const stateDir = path.join(userHome, entry);
    const there = match !== null && isDirectory(stateDir);
    return there ? [{ name: match.groups?.["name"] ?? "default", stateDir }] : [];
  });
}

/** A link that leads in a circle, or to where we may not look, holds no installation that we could know of. */
function isDirectory(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
