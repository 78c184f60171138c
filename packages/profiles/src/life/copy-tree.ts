/**
 * Copies a folder's plain files and folders, private to us, without following links. Everything is listed first, so that
 * progress is known and every decision is made before the first copy.
 */
import {
  ensurePrivateDirectory,
  fileError,
  lstatIfPresent,
  throwIfAborted,
  unsafePath,
} from "@lockkeeper/core/internal";
import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";
import { copyPlainFile } from "../copy-file.ts";
import { requireEntries } from "../directory-entries.ts";
import type { LeftBehind, LeftBehindKind } from "./left-behind.ts";

/** The copies to make, in order, and the omitted entries. */
export interface CopyPlan {
  readonly folders: readonly CopyStep[];
  readonly files: readonly (CopyStep & {
    readonly sizeBytes: number;
    readonly blocks: number;
    readonly mode: number;
  })[];
  readonly left: readonly LeftBehind[];
}

/** One folder to create, or one file to copy. */
export interface CopyStep {
  readonly from: string;
  readonly to: string;
}

/** The progress of a copy. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Which part of a tree is copied. */
export interface CopyRules {
  /** The name of the folder in reports: `state`. */
  readonly label: string;
  /** Why an entry is omitted, or undefined. `sizeBytes` is null for a folder. */
  readonly leave: (name: string, source: string, sizeBytes: number | null) => LeftBehindKind | undefined;
  /** Absolute paths that are excluded without a report. */
  readonly except: ReadonlySet<string>;
}

/** Deeper than any real state, so that a loop of mounts ends. */
const DEEPEST = 64;

/**
 * Returns the plan for copying the folder `from` to `to`. A missing folder counts as empty.
 *
 * @throws {LockkeeperError} UNSAFE_PATH when `from` itself is a link or not a folder; file errors with path and errno.
 */
export function planCopy(from: string, to: string, rules: CopyRules): CopyPlan {
  const plan = { folders: [] as CopyStep[], files: [] as CopyPlan["files"][number][], left: [] as LeftBehind[] };
  const stats = lstatIfPresent(from);
  if (stats === undefined) return plan;
  if (!stats.isDirectory()) {
    const what = stats.isSymbolicLink() ? "a symbolic link" : "not a directory";
    throw unsafePath(from, `is ${what}`, "Links are never followed: put the directory itself there.");
  }
  const walk = (folder: string, relative: string, depth: number): void => {
    plan.folders.push({ from: folder, to: path.join(to, relative) });
    for (const name of requireEntries(folder)) {
      const source = path.join(folder, name);
      const inner = path.join(relative, name);
      const found = lstatIfPresent(source);
      if (found === undefined || rules.except.has(source)) continue;
      const plain = found.isFile() || (found.isDirectory() && depth < DEEPEST);
      const kind = plain ? rules.leave(name, source, found.isFile() ? found.size : null) : "links";
      if (kind !== undefined) plan.left.push({ kind, what: path.join(rules.label, inner) });
      else if (found.isDirectory()) walk(source, inner, depth + 1);
      else {
        const { size: sizeBytes, blocks, mode } = found;
        plan.files.push({ from: source, to: path.join(to, inner), sizeBytes, blocks, mode });
      }
    }
  };
  walk(from, "", 0);
  return plan;
}

/**
 * On return the plan is carried out. Folders have mode 0700, files 0600 (0700 when the original is executable).
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
    // A folder is listed after its parent.
    for (const [index, { to }] of folders.entries()) {
      if (index === 0) ensurePrivateDirectory(to);
      else makeFolder(to);
    }
  }
  for (const file of files) {
    throwIfAborted(signal, `while copying to ${file.to}`);
    await copyOwn(file, signal);
    progress = { ...progress, files: progress.files + 1, bytes: progress.bytes + file.sizeBytes };
    onProgress?.(progress);
  }
  return progress;
}

/** Its holes stay holes: a disk image may be larger than the disk. */
async function copyOwn(
  { from, to, sizeBytes: size, blocks, mode }: CopyPlan["files"][number],
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await copyPlainFile(from, to, { size, blocks }, signal);
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
