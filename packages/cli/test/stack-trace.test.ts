/** The stack of an internal error of the bundle names TypeScript files and lines. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { mapStack } from "../src/stack-trace.ts";

const entry = fileURLToPath(new URL("../dist/lockkeeper.cjs", import.meta.url));

test("a bug in a command is reported with its place in the sources", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-stack-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bug = path.join(folder, "bug.cjs");
  // A failure that the program cannot expect from its host.
  writeFileSync(bug, `Date.prototype.toISOString = () => { throw new TypeError("planted"); };`);
  const env = { PATH: process.env["PATH"], HOME: folder, LOCKKEEPER_HOME: path.join(folder, "home") };
  const { stderr, status } = spawnSync(process.execPath, ["--require", bug, entry, "create", "dev"], {
    env,
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toContain("planted");
  const places = [...stderr.matchAll(/\(?(\/\S+\/packages\/(?:core|profiles|cli)\/src\/\S+\.ts):(\d+):\d+/g)];
  expect(places.length).toBeGreaterThan(0);
  for (const [, file = "", line] of places) {
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file, "utf8").split("\n").length).toBeGreaterThanOrEqual(Number(line));
  }
});

test("a place without a map, or with a damaged map, stays as it is", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-stack-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "a.cjs");
  writeFileSync(`${file}.map`, "{");
  const stack = `Error: no\n    at run (${file}:1:2)\n    at /nowhere/b.cjs:3:4\n    at node:internal/main:5:6`;
  expect(mapStack(stack)).toBe(stack);
});
