/** What `remove` keeps: which removed profiles there are, and their end for good. Only folders of the trash are ever touched. */
import { fileError } from "@lockkeeper/core";
import { rm } from "node:fs/promises";
import path from "node:path";
import { requireEntries } from "../directory-entries.ts";
import { homePaths } from "../profile-paths.ts";
import { changeRegistry } from "../registry/registry-change.ts";

/** One removed profile. */
export interface TrashedProfile {
  readonly name: string;
  /** ISO 8601; null when the folder's name does not tell. */
  readonly removedAt: string | null;
  readonly path: string;
}

/**
 * Returns what lies in the trash, by name and time.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED
 */
export function listTrash(home: string): readonly TrashedProfile[] {
  const { trash } = homePaths(home);
  return requireEntries(trash).flatMap((folder) => {
    const dot = folder.indexOf(".");
    return dot < 1
      ? []
      : [{ name: folder.slice(0, dot), removedAt: momentOf(folder.slice(dot + 1)), path: path.join(trash, folder) }];
  });
}

/**
 * Deletes what lies in the trash, for good: everything, or what has one of `names`. Returns what was deleted. Links are
 * removed, never followed; nothing is restored meanwhile.
 *
 * @throws {LockkeeperError} PERMISSION_DENIED, IO_FAILED naming the folder; and what changing the registry throws.
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

/** `remove` writes the time with hyphens, for file systems that know no colons in names. */
function momentOf(text: string): string | null {
  const iso = text.replace(/T(\d\d)-(\d\d)-/, "T$1:$2:");
  return Number.isNaN(Date.parse(iso)) ? null : iso;
}
