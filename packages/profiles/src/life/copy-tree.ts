/**
 * Copies a folder's plain files and folders, private to us, without ever following a link: first all of it is listed,
 * so that progress can be told and nothing is half decided, then file by file is copied.
 */
import { ensurePrivateDirectory, fileError, LockkeeperError } from "@lockkeeper/core";
import { chmodSync, constants, lstatSync, mkdirSync, readdirSync } from "node:fs";
import type { Stats } from "node:fs";
import { copyFile } from "node:fs/promises";
import path from "node:path";
import type { LeftBehind, LeftBehindKind } from "./left-behind.ts";

/** What is copied, in order, and what is not. */
export interface CopyPlan {
  readonly folders: readonly CopyStep[];
  readonly files: readonly (CopyStep & { readonly sizeBytes: number; readonly mode: number })[];
  readonly left: readonly LeftBehind[];
}

/** One folder to make, or one file to copy. */
export interface CopyStep {
  readonly from: string;
  readonly to: string;
}

/** How far a copy is. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** What of a tree is copied. */
export interface CopyRules {
  /** How the folder is called in what is told: `state`. */
  readonly label: string;
  /** Why an entry stays behind, or undefined. `sizeBytes` is null for a folder. */
  readonly leave: (name: string, source: string, sizeBytes: number | null) => LeftBehindKind | undefined;
  /** Absolute paths that are no part of it, and not worth telling. */
  readonly except: ReadonlySet<string>;
}

/** Deeper than any state; keeps a loop of mounts from holding us for ever. */
const DEEPEST = 64;

/**
 * Returns what copying the folder `from` to `to` means. A missing folder is an empty one.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when `from` itself is a link or no folder; file errors with path and errno.
 */
export function planCopy(from: string, to: string, rules: CopyRules): CopyPlan {
  const plan = { folders: [] as CopyStep[], files: [] as CopyPlan["files"][number][], left: [] as LeftBehind[] };
  const stats = lstat(from);
  if (stats === undefined) return plan;
  if (!stats.isDirectory()) {
    const what = stats.isSymbolicLink() ? "a symbolic link" : "not a directory";
    throw new LockkeeperError("UNSAFE_PATH", `the ${rules.label} directory is ${what}: ${from}`, {
      hint: "Links are never followed: put the directory itself there.",
    });
  }
  const walk = (folder: string, relative: string, depth: number): void => {
    plan.folders.push({ from: folder, to: path.join(to, relative) });
    for (const name of entriesOf(folder)) {
      const source = path.join(folder, name);
      const inner = path.join(relative, name);
      const found = lstat(source);
      if (found === undefined || rules.except.has(source)) continue;
      const plain = found.isFile() || (found.isDirectory() && depth < DEEPEST);
      const kind = plain ? rules.leave(name, source, found.isFile() ? found.size : null) : "links";
      if (kind !== undefined) plan.left.push({ kind, what: path.join(rules.label, inner) });
      else if (found.isDirectory()) walk(source, inner, depth + 1);
      else plan.files.push({ from: source, to: path.join(to, inner), sizeBytes: found.size, mode: found.mode });
    }
  };
  walk(from, "", 0);
  return plan;
}

/**
 * On return everything that was planned is there. Folders have mode 0700, files 0600 (0700 where the original can be run).
 *
 * @throws {LockkeeperError} ABORTED when `signal` aborts; file errors with path and errno.
 */
export async function runCopy(
  plans: readonly CopyPlan[],
  {
    signal,
    onProgress,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  },
): Promise<CopyProgress> {
  const files = plans.flatMap((plan) => plan.files);
  const totals = { totalFiles: files.length, totalBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
  let progress: CopyProgress = { files: 0, bytes: 0, ...totals };
  onProgress?.(progress);
  for (const { folders } of plans) {
    // A folder is listed after the one that it lies in.
    for (const [index, { to }] of folders.entries()) {
      if (index === 0) ensurePrivateDirectory(to);
      else makeFolder(to);
    }
  }
  for (const file of files) {
    if (signal?.aborted === true)
      throw new LockkeeperError("ABORTED", "the copy was interrupted", { cause: signal.reason });
    await copyPlainFile(file);
    progress = { ...progress, files: progress.files + 1, bytes: progress.bytes + file.sizeBytes };
    onProgress?.(progress);
  }
  return progress;
}

async function copyPlainFile({ from, to, mode }: CopyPlan["files"][number]): Promise<void> {
  try {
    // A file system that can share blocks makes this cost nothing.
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    chmodSync(to, (mode & 0o100) === 0 ? 0o600 : 0o700);
  } catch (error) {
    throw fileError(error, `copy ${from}`, to);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (error) {
    throw fileError(error, "create the directory", folder);
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw fileError(error, "list", folder);
  }
}

function lstat(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, "look at", file);
  }
}
