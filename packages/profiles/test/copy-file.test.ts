/** A copy has the content of the original, and takes no room for its holes. */
import * as fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { copyPlainFile } from "../src/copy-file.ts";
import { cloneProfile } from "../src/life/clone.ts";
import { createProfile } from "../src/life/create.ts";
import { copyFolder } from "../src/registry/folder-move.ts";
import { pathsOf, scratchContext } from "./life/scratch-context.ts";

const MIB = 1024 * 1024;
const SIZE = 40 * MIB + 12_345;

/** Where something is written; everything else is a hole. Beside, on and across the borders at which a copy looks for holes. */
const WRITTEN = [0, 65_535, 3 * MIB - 1, 20 * MIB + 65_536, 30 * MIB + 777] as const;

function writeSparse(file: string, written: readonly number[] = WRITTEN, size = SIZE): void {
  const fd = fs.openSync(file, "wx", 0o600);
  for (const at of written) fs.writeSync(fd, "data", at);
  fs.ftruncateSync(fd, size);
  fs.closeSync(fd);
}

const takenBy = (file: string): number => fs.statSync(file).blocks * 512;

/** A failure must not print the files. */
function isSame(a: string, b: string): boolean {
  return fs.readFileSync(a).equals(fs.readFileSync(b));
}

test.each([
  ["holes between data", WRITTEN, SIZE],
  ["nothing but a hole", [], 5 * MIB + 1],
  ["data at its very end", [5 * MIB], 5 * MIB + 4],
  ["a hole that is smaller than what a copy looks for", [0, 70_000], 70_004],
] as const)("%s", async (_, written, size) => {
  const { home } = scratchContext();
  const [from, to] = ["a", "b"].map((name) => path.join(home, name)) as [string, string];
  fs.mkdirSync(home, { recursive: true });
  writeSparse(from, written, size);
  await copyPlainFile(from, to, fs.statSync(from));
  expect(isSame(from, to)).toBe(true);
  // A file system without holes writes both out.
  expect(takenBy(to)).toBeLessThanOrEqual(takenBy(from) + (written.length + 1) * 2 * 65_536);
  await expect(copyPlainFile(from, to, fs.statSync(from))).rejects.toMatchObject({ code: "EEXIST" });
});

test("an abort ends the copy of a large file", async (context) => {
  const { home } = scratchContext();
  fs.mkdirSync(home, { recursive: true });
  const [from, to] = ["a", "b"].map((name) => path.join(home, name)) as [string, string];
  writeSparse(from);
  context.skip(takenBy(from) > MIB, "this file system has no holes");
  await expect(copyPlainFile(from, to, fs.statSync(from), AbortSignal.abort())).rejects.toMatchObject({
    code: "ABORTED",
  });
});

test("a clone, and a folder that is moved by a copy, keep the holes of a disk image", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  const { state, profile } = pathsOf(context, "dev");
  const image = path.join(state, "disk.img");
  writeSparse(image);
  await cloneProfile(context, "dev", "copy");
  await copyFolder(state, path.join(profile, "moved"));
  for (const copy of [path.join(pathsOf(context, "copy").state, "disk.img"), path.join(profile, "moved/disk.img")]) {
    expect(isSame(copy, image)).toBe(true);
    expect(takenBy(copy)).toBeLessThanOrEqual(takenBy(image) + (WRITTEN.length + 1) * 2 * 65_536);
  }
});
