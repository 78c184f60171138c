/**
 * Which record of a place describes its owner, when several files may hold one: our own, one under an earlier name, one under the name
 * of another path. Reads only, and believes no record: what is found names the owner, the kernel alone says that there is one.
 */
import { judgeOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-path.ts";
import { lockFilesFor } from "./lock-path.ts";
import type { Sighting } from "./read-lock-record.ts";
import { readLockRecord } from "./read-lock-record.ts";
import { findRivalFiles } from "./rival-files.ts";

/** What one of the files of a place says. */
export type PlacedSighting = Sighting & { readonly path: string };

/** Returns what the first file says whose owner may live, else what the first one says that exists, else what is at our own path. */
export function findLikelyOwner(place: LockPlace): PlacedSighting {
  const files = lockFilesFor(place);
  const own = sightingAt(files.path);
  if (mayLive(own)) return own;
  const others = [...new Set([files.earlierPath, ...findRivalFiles(place, files)])]
    .filter((path) => path !== files.path)
    .map((path) => sightingAt(path));
  return others.find(mayLive) ?? [own, ...others].find(({ exists }) => exists) ?? own;
}

/** Returns what the file at `path` says. */
export function sightingAt(path: string): PlacedSighting {
  return { ...readLockRecord(path), path };
}

function mayLive({ record }: Sighting): boolean {
  return record !== null && judgeOwner(record).verdict !== "gone";
}
