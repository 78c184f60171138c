/**
 * Directories that profiles of other homes have, as far as other homes can be known: the usual one of this user, and
 * those that service units name. Reads only; a damaged registry elsewhere is not ours to report here.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import type { HostRoots } from "../service-units/host-roots.ts";
import { readGatewayUnits } from "../service-units/service-units.ts";
import { readRegistry } from "../registry/registry.ts";
import { directoriesOf, type OwnedDirectory, realOf } from "./directory-rules.ts";

/** Returns the directories of every profile in the other homes. */
export function readOtherHomes(home: string, roots: HostRoots): readonly OwnedDirectory[] {
  const named = readGatewayUnits(roots.unitDirectories).flatMap(
    ({ environment }) => environment["LOCKKEEPER_HOME"] ?? [],
  );
  const candidates = [path.join(roots.userHome, ".lockkeeper"), ...named].filter((other) => existsSync(other));
  const others = new Set(candidates.map(realOf));
  others.delete(realOf(home));
  return [...others].flatMap((other) => {
    try {
      return [...readRegistry(other).values()].flatMap((manifest) => directoriesOf(manifest, other));
    } catch {
      return [];
    }
  });
}
