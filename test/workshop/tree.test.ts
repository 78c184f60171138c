/** What is in the repository: no file is empty, as one is that a command line of the pages made in it by mistake. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const listed = spawnSync("git", ["ls-files", "--stage"], { cwd: root, encoding: "utf8" });
if (listed.status !== 0) process.stdout.write("skipped: this is no git repository, or git is not installed\n");

/** The object of an empty file. */
const EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

test.skipIf(listed.status !== 0)("no file is empty", () => {
  const lines = listed.stdout.trim().split("\n");
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.filter((line) => line.includes(EMPTY))).toEqual([]);
});
