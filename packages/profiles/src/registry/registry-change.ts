/**
 * Changes the registry and its folders: completely or not at all, whatever kills us in between. One change runs at a time (a
 * kernel-held mutex). It first records what it will do to folders, so that the next change can undo or finish an interrupted
 * one. A change counts from the moment when the registry is written: an earlier failure is undone; a later one is a warning,
 * and the next change does the rest.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  errnoOf,
  fileError,
  readIfPresentSync,
  replaceFile,
  syncDirectory,
  warnAfter,
  withFileMutex,
  shellCommand,
} from "@lockkeeper/core/internal";
import { existsSync, lstatSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ensureHome } from "../home.ts";
import { refuseUnsound } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { isProfileName } from "../profile-name.ts";
import { homePaths } from "../profile-paths.ts";
import { copyFolder, renameFolder } from "./folder-move.ts";
import { refuseNewCircle } from "./start-order.ts";
import { formatRegistry, inRegistryOrder, readRegistryDocument, rememberRegistry } from "./registry.ts";
import type { Registry, RegistryDocument } from "./registry.ts";

/** The effect of a change on folders of the home, by absolute paths. */
export interface FolderChange {
  /** Created by `prepare`; removed with their content when the change fails. */
  readonly make?: readonly string[];
  /**
   * Renamed before the change counts, in this order; renamed back when it fails. Where a rename is refused, the folder is
   * copied: the copy is removed when the change fails, the original once it counts.
   */
  readonly move?: readonly FolderMove[];
  /** Removed with their content once the change counts. */
  readonly discard?: readonly string[];
  /** Everything else that names the profile gets its new name once the change counts. */
  readonly renamed?: { readonly from: string; readonly to: string };
  /** The default of `use` forgets that profile once the change counts. */
  readonly removed?: string;
}

/** From where to where. */
export interface FolderMove {
  readonly from: string;
  readonly to: string;
}

/** The registry, as given to a change. */
export interface RegistryTransaction {
  /** The present content; no other process can change it meanwhile. */
  readonly registry: Registry;
  /**
   * On return the home holds exactly `manifests`, and its folders are as `folders` says. A failure after that point was
   * reported as a warning.
   *
   * @throws {LockkeeperError} and nothing has changed: OPTION_INVALID when the start order would be circular; the errors of
   * `prepare` and file errors.
   */
  commit(manifests: Iterable<Manifest>, folders?: FolderChange, prepare?: () => Promise<void>): Promise<void>;
}

/** How long a change waits for its turn. */
export interface ChangeOptions {
  /** How long to wait for other changes of the registry. @default 60_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A hundred simultaneous `create`s on two busy processors take less. */
const MUTEX_TIMEOUT_MS = 60_000;

/** As it lies on disk: all paths are relative to the home, `profiles/dev`. */
interface Intent extends FolderChange {
  readonly v: 1;
  readonly move?: readonly IntendedMove[];
  /** The revision that the registry has once the change counts. */
  readonly revision: number;
}

interface IntendedMove extends FolderMove {
  /** Set before the copy begins; until the change counts, the original is complete. @default a rename */
  readonly by?: "copy";
}

/**
 * Runs `change` with exclusive access to this home, after settling an interrupted change.
 *
 * @throws {LockkeeperError} MUTEX_TIMEOUT, ABORTED, REGISTRY_DAMAGED, UNSAFE_PATH, file errors, and the errors of `change`.
 */
export async function changeRegistry<T>(
  home: string,
  change: (transaction: RegistryTransaction) => Promise<T>,
  options: ChangeOptions = {},
): Promise<T> {
  ensureHome(home);
  return withFileMutex(
    homePaths(home).registryLock,
    async () => {
      sweepTempFiles(home);
      let document = readRegistryDocument(home);
      await settle(home, document);
      if (existsSync(homePaths(home).staging)) await (await import("./staging.ts")).sweepStaging(home);
      return change({
        registry: document.registry,
        commit: async (manifests, folders, prepare) => {
          document = await commit(home, document, [...manifests], folders, prepare);
        },
      });
    },
    { timeoutMs: options.timeoutMs ?? MUTEX_TIMEOUT_MS, ...(options.signal ? { signal: options.signal } : {}) },
  );
}

/** Settles an interrupted change if there is one; otherwise it checks only one path. Throws as {@link changeRegistry}. */
export async function settleRegistry(home: string, options: ChangeOptions = {}): Promise<void> {
  if (existsSync(homePaths(home).registryIntent)) await changeRegistry(home, async () => undefined, options);
}

async function commit(
  home: string,
  document: RegistryDocument,
  given: readonly Manifest[],
  folders: FolderChange | undefined,
  prepare: (() => Promise<void>) | undefined,
): Promise<RegistryDocument> {
  const paths = homePaths(home);
  const revision = document.revision + 1;
  refuseNewCircle(document.registry, given);
  for (const each of given) if (document.registry.get(each.name) !== each) refuseUnsound(home, each);
  const manifests = inRegistryOrder(given, document.registry);
  const text = formatRegistry(home, revision, manifests);
  let intent: Intent | undefined = folders === undefined ? undefined : { v: 1, revision, ...withinHome(home, folders) };
  if (intent !== undefined) await writeIntent(home, intent);
  try {
    await prepare?.();
    for (const move of intent?.move ?? []) {
      const { from, to } = move;
      if (intent === undefined || renameFolder(join(home, from), join(home, to)) === "renamed") continue;
      intent = { ...intent, move: (intent.move ?? []).map((each) => (each === move ? { ...each, by: "copy" } : each)) };
      await replaceFile(paths.registryIntent, formatIntent(intent));
      await copyFolder(join(home, from), join(home, to));
    }
    if (intent !== undefined) await confirmFolders(home, intent);
    await replaceFile(paths.registry, text);
  } catch (error) {
    const counted = hasCounted(home, revision);
    if (counted === "no" && intent !== undefined) undoIfPossible(home, intent);
    if (counted !== "yes") throw error;
    tell(error, paths.registry);
  }
  await afterwards(paths.registryLastGood, () => {
    // The copy is for a registry that is damaged later; it is written second, so it is never ahead of it.
    return replaceFile(paths.registryLastGood, text);
  });
  const settled = intent;
  if (settled !== undefined) await afterwards(paths.registryIntent, () => finish(home, settled));
  const registry = new Map<string, Manifest>();
  for (const manifest of manifests) registry.set(manifest.name, manifest);
  const changed = { revision, registry };
  rememberRegistry(home, text, changed);
  return changed;
}

/** An intent names folders as the home sees them, so that a home can be moved. */
function withinHome(home: string, { make, move, discard, ...rest }: FolderChange): FolderChange {
  const inside = (folder: string): string => relative(home, folder);
  return {
    ...(make === undefined ? {} : { make: make.map(inside) }),
    ...(move === undefined ? {} : { move: move.map(({ from, to }) => ({ from: inside(from), to: inside(to) })) }),
    ...(discard === undefined ? {} : { discard: discard.map(inside) }),
    ...rest,
  };
}

/** Folders are durable before the registry names them: after a power cut it must not name a missing one. */
async function confirmFolders(home: string, { make = [], move = [] }: Intent): Promise<void> {
  const changed = [...make, ...move.flatMap(({ from, to }) => [from, to])].map((each) => dirname(join(home, each)));
  for (const parent of new Set(changed)) if (existsSync(parent)) await syncDirectory(parent);
}

/** A failed write may have replaced the registry anyway. If it cannot be read now, the next change decides. */
function hasCounted(home: string, revision: number): "yes" | "no" | "unknown" {
  try {
    return readRegistryDocument(home).revision === revision ? "yes" : "no";
  } catch {
    return "unknown";
  }
}

function formatIntent(intent: Intent): string {
  return `${JSON.stringify(intent)}\n`;
}

async function writeIntent(home: string, intent: Intent): Promise<void> {
  const path = homePaths(home).registryIntent;
  try {
    await replaceFile(path, formatIntent(intent));
  } catch (error) {
    // Written but not confirmed: nothing has been done yet, so there is nothing to undo.
    removeQuietly(path);
    throw error;
  }
}

/** The first failure is the one to report; the next change settles what could not be undone. */
function undoIfPossible(home: string, intent: Intent): void {
  try {
    undo(home, intent);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
  }
}

/** Does the steps that follow once a change counts. */
async function afterwards(path: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    tell(error, path);
  }
}

function tell(error: unknown, path: string): void {
  const told = fileError(error, "finish the change", path);
  if (told === error || errnoOf(error) !== undefined) warnAfter("the change is made", told);
  else throw error;
}

/** Temp files of `replaceFile` and of conf. */
const TEMP_FILE = /^(?:\.(?:registry|config)\..*\.tmp|config\.json\.tmp-.*)$/;

/** Only the holder of the mutex writes these files: a temp file is the remains of a killed writer. */
function sweepTempFiles(home: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(home);
  } catch (error) {
    throw fileError(error, "list", home);
  }
  for (const name of names) if (TEMP_FILE.test(name)) removeQuietly(join(home, name));
}

/** A leftover file that nobody will read is no reason to fail. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

async function settle(home: string, document: RegistryDocument): Promise<void> {
  const path = homePaths(home).registryIntent;
  const text = readIfPresentSync(path);
  if (text === undefined) return;
  const intent = parseIntent(text, path);
  if (document.revision >= intent.revision) await finish(home, intent);
  else undo(home, intent);
}

/** Any step may have been done already; all of them are harmless a second time. */
async function finish(home: string, intent: Intent): Promise<void> {
  if (intent.renamed !== undefined) {
    const { followRename } = await import("./follow-rename.ts");
    await followRename(home, intent.renamed.from, intent.renamed.to);
  }
  if (intent.removed !== undefined) {
    const { forgetSelection } = await import("./follow-rename.ts");
    await forgetSelection(home, intent.removed);
  }
  for (const { from, by } of intent.move ?? []) if (by === "copy") remove(join(home, from));
  for (const path of intent.discard ?? []) remove(join(home, path));
  removeIntent(home);
}

/** Any step may have been done or not; a folder that is still in its place is left alone. */
function undo(home: string, intent: Intent): void {
  for (const { from, to, by } of (intent.move ?? []).toReversed()) {
    if (!isThere(join(home, to))) continue;
    if (!isThere(join(home, from))) moveBack(join(home, to), join(home, from));
    else if (by === "copy") remove(join(home, to));
    else throw contradiction(join(home, from), join(home, to));
  }
  for (const path of intent.make ?? []) remove(join(home, path));
  removeIntent(home);
}

/** The folder was created again in between: a person must decide which of the two is the profile. */
function contradiction(from: string, to: string): LockkeeperError {
  return new LockkeeperError(
    "REGISTRY_DAMAGED",
    `an interrupted change cannot be undone: ${to} has come from ${from}`,
    {
      evidence: [`both exist: ${from} and ${to}`],
      hint: `Look at both, then move the one you do not want away: ${shellCommand("mv", from, `${from}.kept`)}`,
    },
  );
}

function moveBack(to: string, from: string): void {
  if (renameFolder(to, from) === "renamed") return;
  throw new LockkeeperError("IO_FAILED", `an interrupted change cannot be undone: ${from} is on another disk by now`, {
    hint: `Move it back by hand: ${shellCommand("mv", to, from)}`,
  });
}

/** By the plain call: for the other one Node loads what removes trees. */
function removeIntent(home: string): void {
  const path = homePaths(home).registryIntent;
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw fileError(error, "remove", path);
  }
}

function remove(path: string): void {
  try {
    // Removes links themselves, never their targets.
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw fileError(error, "remove", path);
  }
}

/** A path that cannot be checked does not count as missing, because that would give up a folder. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw fileError(error, "look at", path);
  }
}

/** Only our own folders are ever moved or removed, whatever the file says. */
const OWN_PATH = /^(?:profiles|run|trash|staging)\/[A-Za-z0-9][A-Za-z0-9.-]*(?:\/manifest\.json)?$/;

function parseIntent(text: string, path: string): Intent {
  try {
    const value = JSON.parse(text) as Intent;
    const { v, revision, make = [], move = [], discard = [], renamed, removed } = value;
    const named = [...make, ...discard, ...move.flatMap(({ from, to }) => [from, to])];
    const names = [
      ...(renamed === undefined ? [] : [renamed.from, renamed.to]),
      ...(removed === undefined ? [] : [removed]),
    ];
    const sound = named.every((each) => OWN_PATH.test(each)) && names.every((name) => isProfileName(name));
    if (v === 1 && Number.isSafeInteger(revision) && sound) return value;
  } catch {
    // Not JSON, or of another shape: reported below.
  }
  throw new LockkeeperError("REGISTRY_DAMAGED", `the record of an interrupted change is damaged: ${path}`, {
    hint: `Move it away after a look at the folders in it: ${shellCommand("mv", path, `${path}.damaged`)}`,
  });
}
