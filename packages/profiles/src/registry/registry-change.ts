/**
 * Changes the registry and its folders: completely or not at all, whatever kills us in between. One change runs at a time (a
 * kernel-held mutex). It first records what it will do to folders (`registry-intent.ts`), so that the next change can undo or
 * finish an interrupted one. A change counts from the moment when the registry is written. An earlier failure is undone; a later one
 * is a warning, and the next change does the rest.
 */
import { errnoOf, fileError, replaceFile, syncDirectory, warnAfter, withFileMutex } from "@lockkeeper/core/internal";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureHome } from "../home.ts";
import { refuseUnsound } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { homePaths } from "../profile-paths.ts";
import { copyFolder, renameFolder } from "./folder-move.ts";
import { refuseNewCircle } from "./start-order.ts";
import { formatRegistry, inRegistryOrder, readRegistryDocument, rememberRegistry } from "./registry.ts";
import type { Registry, RegistryDocument } from "./registry.ts";
import type { FolderChange, Intent } from "./registry-intent.ts";
import { finishIntent, recordCopy, recordIntent, settleIntent, undoIfPossible } from "./registry-intent.ts";

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
      await settleIntent(home, document.revision);
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
  let intent = folders === undefined ? undefined : await recordIntent(home, revision, folders);
  try {
    await prepare?.();
    for (const move of intent?.move ?? []) {
      const { from, to } = move;
      if (intent === undefined || renameFolder(join(home, from), join(home, to)) === "renamed") continue;
      intent = await recordCopy(home, intent, move);
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
  if (settled !== undefined) await afterwards(paths.registryIntent, () => finishIntent(home, settled));
  const registry = new Map<string, Manifest>();
  for (const manifest of manifests) registry.set(manifest.name, manifest);
  const changed = { revision, registry };
  rememberRegistry(home, text, changed);
  return changed;
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
