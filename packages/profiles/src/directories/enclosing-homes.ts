/** Homes around this one: a home inside another's profile would share its directories, which two homes must not. */
import { existsSync } from "node:fs";
import { dirname, parse } from "node:path";
import { directoriesOf, realOf } from "./directory-rules.ts";
import type { OwnedDirectory } from "./directory-rules.ts";
import { homePaths } from "../profile-paths.ts";
import { readRegistry } from "../registry/registry.ts";

/** Returns the directories of every profile of a home in which `home` lies. One look at one path for each folder above. */
export function readEnclosingHomes(home: string): readonly OwnedDirectory[] {
  const real = realOf(home);
  const { root } = parse(real);
  const found: OwnedDirectory[] = [];
  for (let above = dirname(real); above !== root; above = dirname(above)) {
    if (!existsSync(homePaths(above).registry)) continue;
    try {
      found.push(...[...readRegistry(above).values()].flatMap((manifest) => directoriesOf(manifest, above)));
    } catch {
      // Not a registry of ours, or a damaged one: that home's own commands say so.
    }
  }
  return found;
}
