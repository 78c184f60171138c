/**
 * Chooses the record that describes a place's owner, when several files may hold one: our own, one under an earlier name, one
 * under the name of another path. Only reads, and trusts no record: a record names the owner, only the kernel says that there
 * is one.
 */
import { resolve } from "node:path";

import { judgeOwner } from "./lock-owner.ts";
import type { LockPlace } from "./lock-path.ts";
import { lockFilesFor, lockFilesIn } from "./lock-path.ts";
import type { Sighting } from "./read-lock-record.ts";
import { readLockRecord } from "./read-lock-record.ts";
import { findRivalFiles } from "./rival-files.ts";

/** The content of one file of a place. */
export type PlacedSighting = Sighting & { readonly path: string };

/** Returns the content of the first file whose owner may live, else of the first file that exists, else of our own path. */
export function findLikelyOwner(place: LockPlace): PlacedSighting {
  if (place.scope === "directory") {
    // With one file there is nothing to choose from, and no name to be made, which takes a hash.
    const [only, another] = lockFilesIn(resolve(place.lockDir));
    if (only !== undefined && another === undefined) return sightingAt(only);
  }
  const files = lockFilesFor(place);
  const own = sightingAt(files.path);
  if (mayLive(own)) return own;
  const others = [...new Set([files.earlierPath, ...findRivalFiles(place, files)])]
    .filter((path) => path !== files.path)
    .map((path) => sightingAt(path));
  return others.find(mayLive) ?? [own, ...others].find(({ exists }) => exists) ?? own;
}

/** Returns the content of the file at `path`. */
export function sightingAt(path: string): PlacedSighting {
  return { ...readLockRecord(path), path };
}

function mayLive({ record }: Sighting): boolean {
  return record !== null && judgeOwner(record).verdict !== "gone";
}
