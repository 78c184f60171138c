/** A context around a scratch home, and the helpers that write to its profiles and read from them. */
import * as fs from "node:fs";
import path from "node:path";
import type { ProfilesContext } from "../../src/context.ts";
import { profilePaths } from "../../src/profile-paths.ts";
import type { ProfilePaths } from "../../src/profile-paths.ts";
import { scratchHome } from "../scratch-home.ts";

/** Returns a context whose home does not exist yet. */
export function scratchContext(): ProfilesContext {
  const home = scratchHome();
  return { home, programs: { keeper: "", gateway: "" }, env: { HOME: path.dirname(home), PATH: process.env["PATH"] } };
}

/** Returns the usual paths of a profile. */
export function pathsOf({ home }: Pick<ProfilesContext, "home">, name: string): ProfilePaths {
  return profilePaths(home, name as never);
}

/** Writes files below `folder`, subfolders included. */
export function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
}

/** Returns the paths of all plain files below `folder`, sorted. */
export function filesIn(folder: string): readonly string[] {
  if (!fs.existsSync(folder)) return [];
  const all = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return all.filter((name) => fs.lstatSync(path.join(folder, name)).isFile()).sort();
}
