/** The trash: lists removed profiles and deletes them for good. Touches only folders of the trash. */
import { fileError } from "@lockkeeper/core/internal";
import { rm } from "node:fs/promises";
import path from "node:path";
import { requireEntries } from "../directory-entries.ts";
import { compareNames } from "../profile-name.ts";
import { homePaths } from "../profile-paths.ts";
import { changeRegistry } from "../registry/registry-change.ts";

/** One removed profile. */
export interface TrashedProfile {
  readonly name: string;
  /** ISO 8601; null when the folder's name has no time. */
  readonly removedAt: string | null;
  readonly path: string;
}

/**
 * Returns the content of the trash, by name and time; entries without a time come first.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED
 */
export function listTrash(home: string): readonly TrashedProfile[] {
  const { trash } = homePaths(home);
  const found = requireEntries(trash).flatMap((folder) => {
    const dot = folder.indexOf(".");
    return dot < 1
      ? []
      : [{ name: folder.slice(0, dot), removedAt: momentOf(folder.slice(dot + 1)), path: path.join(trash, folder) }];
  });
  // A folder without a time was put there or renamed by a person: it is never the last removed profile.
  const timed = ({ removedAt }: TrashedProfile): number => (removedAt === null ? 0 : 1);
  return found.toSorted((left, right) => compareNames(left.name, right.name) || timed(left) - timed(right));
}

/**
 * Deletes the content of the trash for good, all of it or the profiles in `names`, and returns what was deleted. Links are
 * removed, never followed; no profile is restored meanwhile.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED naming the folder; and the errors of a change of the registry.
 */
export async function emptyTrash(home: string, names: readonly string[]): Promise<readonly TrashedProfile[]> {
  return changeRegistry(home, async () => {
    const doomed = listTrash(home).filter(({ name }) => names.length === 0 || names.includes(name));
    for (const { path: folder } of doomed) {
      try {
        await rm(folder, { recursive: true, force: true });
      } catch (error) {
        throw fileError(error, "delete", folder);
      }
    }
    return doomed;
  });
}

/** Returns the folder of the trash for a profile that is removed at `now`. Some file systems allow no colons in names. */
export function trashFolder(home: string, name: string, now: Date): string {
  return path.join(homePaths(home).trash, `${name}.${now.toISOString().replaceAll(":", "-")}`);
}

function momentOf(text: string): string | null {
  const iso = text.replace(/T(\d\d)-(\d\d)-/, "T$1:$2:");
  return Number.isNaN(Date.parse(iso)) ? null : iso;
}
