/**
 * The record of what a change does to folders, `registry.intent.json`. It is written before the first step and removed after the last
 * one, so that the next change can undo or finish an interrupted one. Only for a change of the registry, which holds the mutex.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  errnoOf,
  fileError,
  isForeseen,
  readIfPresentSync,
  replaceFile,
  shellCommand,
} from "@lockkeeper/core/internal";
import { lstatSync, unlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { isProfileName } from "../profile-name.ts";
import { homePaths } from "../profile-paths.ts";
import { removeFolder, renameFolder } from "./folder-move.ts";

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

/** The record, as it lies on disk: all paths are relative to the home, `profiles/dev`. */
export interface Intent extends FolderChange {
  readonly v: 1;
  readonly move?: readonly IntendedMove[];
  /** The revision that the registry has once the change counts. */
  readonly revision: number;
}

/** A move of folders, and how it is done. */
export interface IntendedMove extends FolderMove {
  /** Set before the copy begins; until the change counts, the original is complete. @default a rename */
  readonly by?: "copy";
}

/** Writes and returns the record of a change. On return it is on disk; after an error there is none. Throws file errors. */
export async function recordIntent(home: string, revision: number, folders: FolderChange): Promise<Intent> {
  const intent: Intent = { v: 1, revision, ...withinHome(home, folders) };
  try {
    await replaceFile(homePaths(home).registryIntent, formatIntent(intent));
  } catch (error) {
    // Written but not confirmed: nothing has been done yet, so there is nothing to undo.
    removeIfPossible(home);
    throw error;
  }
  return intent;
}

/** Writes and returns the record with `move` marked as a copy. On return it is on disk, so the copy may begin. Throws file errors. */
export async function recordCopy(home: string, intent: Intent, move: IntendedMove): Promise<Intent> {
  const moves = (intent.move ?? []).map((each) => (each === move ? { ...each, by: "copy" as const } : each));
  const changed = { ...intent, move: moves };
  await replaceFile(homePaths(home).registryIntent, formatIntent(changed));
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

function formatIntent(intent: Intent): string {
  return `${JSON.stringify(intent)}\n`;
}

/** Undoes a failed change as far as possible. A failure to undo is not reported: that of the change is, and the next change does the rest. */
export function undoIfPossible(home: string, intent: Intent): void {
  try {
    undo(home, intent);
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
  }
}

/**
 * On return an interrupted change of the home is finished if it counted, and undone otherwise. It counted when `revision`, the
 * registry's present one, has reached its own. Without such a change this is one look at a path.
 *
 * @throws {LockkeeperError} REGISTRY_DAMAGED when the record cannot be read, or both folders of a move exist; file errors.
 */
export async function settleIntent(home: string, revision: number): Promise<void> {
  const path = homePaths(home).registryIntent;
  const text = readIfPresentSync(path);
  if (text === undefined) return;
  const intent = parseIntent(text, path);
  if (revision >= intent.revision) await finishIntent(home, intent);
  else undo(home, intent);
}

/** Does the steps that follow once a change counts. Any may have been done already; all of them are harmless a second time. */
export async function finishIntent(home: string, intent: Intent): Promise<void> {
  if (intent.renamed !== undefined) {
    const { followRename } = await import("./follow-rename.ts");
    await followRename(home, intent.renamed.from, intent.renamed.to);
  }
  if (intent.removed !== undefined) {
    const { forgetSelection } = await import("./follow-rename.ts");
    await forgetSelection(home, intent.removed);
  }
  for (const { from, by } of intent.move ?? []) if (by === "copy") removeFolder(join(home, from));
  for (const path of intent.discard ?? []) removeFolder(join(home, path));
  removeIntent(home);
}

/** Any step may have been done or not; a folder that is still in its place is left alone. */
function undo(home: string, intent: Intent): void {
  for (const { from, to, by } of (intent.move ?? []).toReversed()) {
    if (!isThere(join(home, to))) continue;
    if (!isThere(join(home, from))) moveBack(join(home, to), join(home, from));
    else if (by === "copy") removeFolder(join(home, to));
    else throw contradiction(join(home, from), join(home, to));
  }
  for (const path of intent.make ?? []) removeFolder(join(home, path));
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

function removeIfPossible(home: string): void {
  try {
    removeIntent(home);
  } catch (error) {
    if (!isForeseen(error)) throw error;
  }
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
