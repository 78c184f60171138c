/**
 * Every profile's manifest in one document, so that one read lists them all. Reading is cheap and needs no lock: the
 * document is only ever replaced as a whole. It is never repaired by guessing, and a damaged one is never overwritten.
 * Changes are made by `registry-change.ts`.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { didYouMean, fileError, readIfPresentSync, shellCommand } from "@lockkeeper/core/internal";
import type { FileOwner } from "@lockkeeper/core/internal";
import { lstatSync, statSync } from "node:fs";
import { locateJsonError } from "../json.ts";
import { completeManifest, formatManifest } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { comesBefore, compareNames, parseProfileName } from "../profile-name.ts";
import { homePaths } from "../profile-paths.ts";

/** Manifests by name, sorted by name, numbers in it by their value. */
export type Registry = ReadonlyMap<string, Manifest>;

/** The document as it was read. */
export interface RegistryDocument {
  /** Counts the changes, and shows whether an interrupted change took effect. */
  readonly revision: number;
  readonly registry: Registry;
}

const SCHEMA_VERSION = 1;

/** What was read or written last: the same text is not checked twice, and the same file is not read twice. */
let known: Known | undefined;

interface Known {
  readonly path: string;
  readonly text: string;
  readonly document: RegistryDocument;
  /** Which file it was, and for whom it was read; undefined for what was written. */
  readonly stamp?: string | undefined;
}

/**
 * Returns every profile of `home`; none when there is no registry yet. `owner: "any"`: for display only.
 *
 * @throws {LockkeeperError} REGISTRY_DAMAGED with path, position, and how to restore the last good copy.
 */
export function readRegistry(home: string, owner?: FileOwner): Registry {
  return readRegistryDocument(home, owner).registry;
}

/** The same as {@link readRegistry}, with the revision, for changes. */
export function readRegistryDocument(home: string, owner?: FileOwner): RegistryDocument {
  const { registry } = homePaths(home);
  // Before the reading: a file that is replaced in between is read again the next time.
  const stamp = stampOf(registry, owner);
  if (stamp !== undefined && known?.path === registry && known.stamp === stamp) return known.document;
  const text = readText(registry, owner);
  if (text === undefined) {
    refuseLost(home, registry);
    return { revision: 0, registry: new Map() };
  }
  const document =
    known?.path === registry && known.text === text ? known.document : parseRegistry(home, registry, text);
  known = { path: registry, text, document, stamp };
  return document;
}

function readText(path: string, owner: FileOwner | undefined): string | undefined {
  try {
    return readIfPresentSync(path, owner);
  } catch (error) {
    if (!(error instanceof LockkeeperError) || error.code !== "PERMISSION_DENIED" || !isOurs(path)) throw error;
    throw new LockkeeperError(error.code, error.message, {
      cause: error,
      hint: `Open it to yourself again: ${shellCommand("chmod", "600", path)}`,
    });
  }
}

function isOurs(path: string): boolean {
  try {
    return lstatSync(path).uid === process.geteuid?.();
  } catch {
    return false;
  }
}

/** The registry is written before its copy, so a copy alone is what is left of one that was removed. */
function refuseLost(home: string, path: string): void {
  const profiles = readLastGood(home)?.size ?? 0;
  if (profiles > 0) throw damaged(home, `${path} is missing`, undefined);
}

/** Changes with every replacement, write, change of owner or mode. Undefined when the reading has to say what is there. */
function stampOf(path: string, owner: FileOwner = "own"): string | undefined {
  try {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() === true ? `${owner} ${stats.dev} ${stats.ino} ${stats.ctimeNs} ${stats.size}` : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers the manifests for exactly this text of the file. */
export function rememberRegistry(home: string, text: string, document: RegistryDocument): void {
  known = { path: homePaths(home).registry, text, document };
}

/**
 * Returns the profile's manifest.
 *
 * @throws {LockkeeperError} PROFILE_NAME_INVALID, PROFILE_NOT_FOUND with the nearest names, REGISTRY_DAMAGED.
 */
export function requireManifest(home: string, name: string, owner?: FileOwner): Manifest {
  return requireFrom(readRegistry(home, owner), home, name);
}

/** Returns the manifest of `name` from a registry that was read already. Throws as {@link requireManifest}. */
export function requireFrom(registry: Registry, home: string, name: string): Manifest {
  const manifest = registry.get(parseProfileName(name));
  if (manifest !== undefined) return manifest;
  throw new LockkeeperError("PROFILE_NOT_FOUND", `no profile named ${name} in ${home}`, {
    hint:
      didYouMean(name, registry.keys()) ??
      (registry.size === 0 ? `There are no profiles yet: lockkeeper create ${name}` : "See them all: lockkeeper list"),
  });
}

/**
 * Returns the profiles of `home`; while its registry cannot be read, those of the last good copy. For what only looks, or stops.
 * Undefined when there is no usable copy either.
 */
export function readUsable(home: string, owner?: FileOwner): Registry | undefined {
  try {
    return readRegistry(home, owner);
  } catch (error) {
    if (error instanceof LockkeeperError) return readLastGood(home);
    throw error;
  }
}

/**
 * Returns the manifests in the order of a registry.
 *
 * @param before a registry with most of these names, mostly in this order: such names are not compared, since V8 would
 * optimize that for more than it costs. @default none
 */
export function inRegistryOrder(manifests: Iterable<Manifest>, before: Registry = new Map()): readonly Manifest[] {
  const sorted: Manifest[] = [];
  const others: Manifest[] = [];
  const names = before.keys();
  for (const manifest of manifests) {
    const { name } = manifest;
    let next = before.has(name) ? names.next() : undefined;
    while (next?.done === false && next.value !== name) next = names.next();
    (next?.done === false ? sorted : others).push(manifest);
  }
  for (const manifest of others) sorted.splice(placeOf(manifest.name, sorted), 0, manifest);
  return sorted;
}

function placeOf(name: string, sorted: readonly Manifest[]): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comesBefore(sorted[middle]?.name ?? "", name)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the text of a registry of `manifests`, which are in its order: one line a profile. */
export function formatRegistry(home: string, revision: number, manifests: readonly Manifest[]): string {
  const lines = linesOf(home, manifests) ?? manifests.map((manifest) => formatManifest(home, manifest));
  return `${headOf(revision)}${lines.join(",\n")}${TAIL}`;
}

function headOf(revision: number): string {
  return `{"schemaVersion":${SCHEMA_VERSION},"revision":${revision},"profiles":[\n`;
}

const TAIL = "\n]}\n";
const LINE_START = `{"schemaVersion":${SCHEMA_VERSION},"name":"`;

/**
 * Returns the lines of `manifests`. Neighbours that stood together in the text that was read or written last are one piece of
 * it: a change of one profile does not format a thousand others anew. Undefined when that text is not laid out as ours.
 */
function linesOf(home: string, manifests: readonly Manifest[]): readonly string[] | undefined {
  if (known?.path !== homePaths(home).registry) return undefined;
  const { text, document } = known;
  const head = headOf(document.revision);
  if (!text.startsWith(head)) return undefined;
  const pieces: string[] = [];
  let next = 0;
  // The line of `before`, and where the lines begin that are in the same piece.
  let at = head.length;
  let from = at;
  for (const before of document.registry.values()) {
    const { name } = before;
    const end = text.indexOf("\n", at);
    const begins = text.startsWith(LINE_START, at) && text.startsWith(`${name}",`, at + LINE_START.length);
    const ends = text.startsWith("},", end - 2) || text.startsWith(`}${TAIL}`, end - 1);
    if (!begins || !ends) return undefined;
    if (manifests[next] === before) {
      next += 1;
    } else {
      if (at > from) pieces.push(text.slice(from, at - ",\n".length));
      for (; next < manifests.length; next += 1) {
        const manifest = manifests[next];
        if (manifest === undefined || manifest === before || !comesBefore(manifest.name, name)) break;
        pieces.push(formatManifest(home, manifest));
      }
      const stays = manifests[next] === before;
      if (stays) next += 1;
      from = stays ? at : end + 1;
    }
    at = end + 1;
  }
  if (at + TAIL.length - 1 !== text.length || !text.endsWith(TAIL)) return undefined;
  if (at > from) pieces.push(text.slice(from, at - 1));
  for (const manifest of manifests.slice(next)) pieces.push(formatManifest(home, manifest));
  return pieces;
}

/** Returns how many profiles the last good copy holds and when it was written, or undefined when it is unusable. */
function inspectLastGood(home: string): { readonly profiles: number; readonly writtenAt: Date } | undefined {
  const registry = readLastGood(home);
  if (registry === undefined) return undefined;
  const writtenAt = statSync(homePaths(home).registryLastGood, { throwIfNoEntry: false })?.mtime;
  return writtenAt === undefined ? undefined : { profiles: registry.size, writtenAt };
}

/** Returns the profiles of the copy that the last change has left; undefined when it is missing or unusable. */
export function readLastGood(home: string): Registry | undefined {
  return readCopy(home)?.registry;
}

/**
 * Returns the profiles of the copy when it is of a later change than the registry: then somebody has put back an older one.
 *
 * @throws {LockkeeperError} as {@link readRegistry}.
 */
export function readNewerCopy(home: string, owner?: FileOwner): Registry | undefined {
  const { revision } = readRegistryDocument(home, owner);
  const copy = readCopy(home);
  return copy !== undefined && copy.revision > revision ? copy.registry : undefined;
}

/** Returns the command that puts the last good copy in the place of the registry. */
export function restoreCommand(home: string): string {
  const { registry, registryLastGood } = homePaths(home);
  return shellCommand("cp", "-p", registryLastGood, registry);
}

function readCopy(home: string): RegistryDocument | undefined {
  try {
    const text = readIfPresentSync(homePaths(home).registryLastGood);
    return text === undefined ? undefined : checkDocument(home, JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function parseRegistry(home: string, path: string, text: string): RegistryDocument {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (error) {
    const { line, column } = locateJsonError(text);
    throw damaged(home, `${path}:${line}:${column}: not JSON`, error);
  }
  try {
    return checkDocument(home, value);
  } catch (error) {
    if (error instanceof DocumentFault) throw damaged(home, `${path}: ${error.message}`, error);
    throw fileError(error, "read the registry", path);
  }
}

/** A fault in a document that is JSON; the caller adds the path. */
class DocumentFault extends Error {
  /** The document is sound, but this program is too old to read it. */
  readonly newer: boolean;

  constructor(message: string, newer = false) {
    super(message);
    this.newer = newer;
  }
}

function checkDocument(home: string, value: unknown): RegistryDocument {
  if (typeof value !== "object" || value === null) throw new DocumentFault("expected an object");
  const { schemaVersion: version, revision, profiles } = value as Partial<Record<string, unknown>>;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new DocumentFault(
      `written by a newer Lockkeeper (schema version ${version}, this one knows ${SCHEMA_VERSION})`,
      true,
    );
  }
  if (version !== SCHEMA_VERSION) throw new DocumentFault(`schemaVersion: expected ${SCHEMA_VERSION}`);
  if (typeof revision !== "number" || !Number.isSafeInteger(revision)) {
    throw new DocumentFault("revision: expected a whole number");
  }
  if (!Array.isArray(profiles)) throw new DocumentFault("profiles: expected a list");
  const registry = new Map<string, Manifest>();
  let isSorted = true;
  let before = "";
  for (let index = 0; index < profiles.length; index += 1) {
    const manifest = completeManifest(home, profiles[index]);
    if (typeof manifest === "string") throw new DocumentFault(`profiles[${index}].${manifest}`);
    const { name } = manifest;
    if (registry.has(name)) throw new DocumentFault(`profiles[${index}].name: a second ${name}`);
    registry.set(name, manifest);
    isSorted &&= comesBefore(before, name);
    before = name;
  }
  // Registries of earlier releases are sorted alphabetically.
  return {
    revision,
    registry: isSorted ? registry : new Map([...registry].sort(([a], [b]) => compareNames(a, b))),
  };
}

function damaged(home: string, message: string, cause: unknown): LockkeeperError {
  const { registry } = homePaths(home);
  const lastGood = inspectLastGood(home);
  const hint =
    cause instanceof DocumentFault && cause.newer
      ? "Upgrade Lockkeeper on this machine."
      : lastGood === undefined
        ? `Running gateways go on and can be stopped. There is no last good copy, so mend it by hand: ${shellCommand("vi", registry)}`
        : `Restore the last good copy (${lastGood.profiles} ${lastGood.profiles === 1 ? "profile" : "profiles"}, ${lastGood.writtenAt.toISOString()}): ${restoreCommand(home)}`;
  return new LockkeeperError("REGISTRY_DAMAGED", `the registry is damaged: ${message}`, { cause, hint });
}
