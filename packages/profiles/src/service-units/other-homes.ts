/** Finds other homes of this user: the usual one, and those that service units name. Others stay unknown. Only reads. */
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import type { HostRoots } from "./host-roots.ts";
import { readGatewayUnits } from "./service-units.ts";

/** Returns the real paths of the homes besides `home`. */
export function findOtherHomes(home: string, roots: HostRoots): readonly string[] {
  const named = readGatewayUnits(roots.unitDirectories).flatMap(
    ({ environment }) => environment["LOCKKEEPER_HOME"] ?? [],
  );
  const candidates = [path.join(roots.userHome, ".lockkeeper"), ...named].filter((other) => existsSync(other));
  const others = new Set(candidates.map((other) => realpathSync(other)));
  if (existsSync(home)) others.delete(realpathSync(home));
  return [...others];
}
