/** Finds other homes of this user: the usual one, and those that service units name. Others stay unknown. Only reads. */
import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { HostRoots } from "./host-roots.ts";
import { readGatewayUnits } from "./service-units.ts";

/** Returns the real paths of the homes besides `home`. A second path to the same folder is no other home. */
export function findOtherHomes(home: string, roots: HostRoots): readonly string[] {
  const named = readGatewayUnits(roots).flatMap(({ environment }) => environment["LOCKKEEPER_HOME"] ?? []);
  const own = folderAt(home);
  const others = new Map<string, string>();
  for (const candidate of [path.join(roots.userHome, ".lockkeeper"), ...named]) {
    const folder = folderAt(candidate);
    if (folder !== undefined && folder !== own && !others.has(folder)) others.set(folder, realpathSync(candidate));
  }
  return [...others.values()];
}

/** Device and inode: a bind mount has a real path of its own. */
function folderAt(home: string): string | undefined {
  try {
    const { dev, ino } = statSync(home, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
