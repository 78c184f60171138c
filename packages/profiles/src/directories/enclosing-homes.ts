/** Finds homes around this one: a home inside another home's profile would share its directories. */
import { realPath } from "@lockkeeper/core/internal";
import { existsSync } from "node:fs";
import { dirname, parse } from "node:path";
import { directoriesOf } from "./directory-rules.ts";
import type { OwnedDirectory } from "./directory-rules.ts";
import { homePaths } from "../profile-paths.ts";
import { readRegistry } from "../registry/registry.ts";

/** Returns the directories of every profile of a home in which `home` lies. One check of one path for each folder above. */
export function readEnclosingHomes(home: string): readonly OwnedDirectory[] {
  const real = realPath(home);
  const { root } = parse(real);
  const found: OwnedDirectory[] = [];
  for (let above = dirname(real); above !== root; above = dirname(above)) {
    if (!existsSync(homePaths(above).registry)) continue;
    try {
      found.push(...[...readRegistry(above).values()].flatMap((manifest) => directoriesOf(manifest, above)));
    } catch {
      // Not our registry, or a damaged one: the commands of that home report it.
    }
  }
  return found;
}
