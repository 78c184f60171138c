/** The directories of profiles in other homes. Only reads; a damaged registry elsewhere is not reported here. */
import { PathLook } from "@lockkeeper/core/internal";
import type { HostRoots } from "../service-units/host-roots.ts";
import { findOtherHomes } from "../service-units/other-homes.ts";
import { readRegistry } from "../registry/registry.ts";
import { directoriesOf } from "./directory-rules.ts";
import type { OwnedDirectory } from "./directory-rules.ts";

/** Returns the directories of every profile in the other homes. */
export function readDirectoriesElsewhere(
  home: string,
  roots: HostRoots,
  look: PathLook = new PathLook(),
): readonly OwnedDirectory[] {
  return findOtherHomes(home, roots).flatMap((other) => {
    try {
      return [...readRegistry(other).values()].flatMap((manifest) => directoriesOf(manifest, other, look));
    } catch {
      return [];
    }
  });
}
