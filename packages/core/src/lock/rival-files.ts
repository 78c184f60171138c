/**
 * Other lock files of the directory whose owner may own what we are about to own: a file with the name that another path of
 * the same home had in release 0.1.0, or the lock of the same config under another name. The scope of the place decides which
 * of them count.
 */
import { realpathSync, statSync } from "node:fs";

import type { LockFiles, LockPlace } from "./lock-path.ts";
import { otherLockFiles } from "./lock-path.ts";
import { CUT_MARK } from "./lock-record.ts";
import { readLockRecord } from "./read-lock-record.ts";

/** Returns the lock files besides `files` whose owner, if any, owns this place too. */
export function findRivalFiles({ configPath, scope }: LockPlace, files: LockFiles): readonly string[] {
  const others = otherLockFiles(files);
  if (others.length === 0 || scope === "directory") return others;
  return others.filter((other) => {
    const { record } = readLockRecord(other);
    return record !== null && isSameConfig(record.configPath, configPath);
  });
}

/** The same path, or another path to the same file. For a cut path, the ends are compared. */
function isSameConfig(recorded: string, ours: string): boolean {
  if (recorded === "") return false;
  const real = realOf(ours);
  if (recorded.startsWith(CUT_MARK)) return real.endsWith(recorded.slice(CUT_MARK.length));
  if (recorded === ours || realOf(recorded) === real) return true;
  const stats = statSync(ours, { bigint: true, throwIfNoEntry: false });
  const others = statSync(recorded, { bigint: true, throwIfNoEntry: false });
  return stats !== undefined && others !== undefined && stats.dev === others.dev && stats.ino === others.ino;
}

function realOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
