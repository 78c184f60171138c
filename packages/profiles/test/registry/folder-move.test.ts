/** A folder that cannot be renamed is moved all the same, with its whole content. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createProfile } from "../../src/life/create.ts";
import { readRegistry } from "../../src/registry/registry.ts";
import { copyFolder } from "../../src/registry/folder-move.ts";
import { pathsOf, put, scratchContext } from "../life/scratch-context.ts";

const preload = fileURLToPath(new URL("../../../../test/harness/refuse-folder-renames.cjs", import.meta.url));
const program = fileURLToPath(new URL("../fixtures/change-life.js", import.meta.url));

/** Returns what `mv` keeps of each entry below a folder. */
function entriesOf(folder: string): readonly unknown[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return ["", ...names].map((name) => {
    const at = path.join(folder, name);
    const { mode, mtimeMs, uid, gid } = fs.lstatSync(at);
    const isLink = fs.lstatSync(at).isSymbolicLink();
    const held = isLink ? fs.readlinkSync(at) : fs.statSync(at).isFile() ? fs.readFileSync(at, "hex") : null;
    // The time of a link cannot be set on every system.
    return { name, mode, uid, gid, held, mtimeMs: isLink ? null : Math.trunc(mtimeMs) };
  });
}

test("a copy keeps the modes, times, owners and links of the original", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  const { state, profile } = pathsOf(context, "dev");
  put(state, { "a/b": "c", d: "e" });
  fs.symlinkSync("/nowhere", path.join(state, "link"));
  fs.symlinkSync("a", path.join(state, "to-folder"));
  fs.chmodSync(path.join(state, "d"), 0o751);
  fs.chmodSync(path.join(state, "a"), 0o500);
  fs.utimesSync(path.join(state, "a/b"), 1_000_000_000, 1_000_000_000);
  fs.utimesSync(path.join(state, "a"), 1_100_000_000, 1_100_000_000);
  if (process.geteuid?.() === 0) fs.lchownSync(path.join(state, "d"), 12_345, 12_345);
  const before = entriesOf(state);
  const copy = path.join(profile, "copy");
  await copyFolder(state, copy);
  expect(entriesOf(copy)).toEqual(before);
  expect(entriesOf(state)).toEqual(before);
});

test("remove, restore and rename work where no folder can be renamed", async () => {
  const context = scratchContext();
  await createProfile(context.home, { name: "dev" });
  put(pathsOf(context, "dev").state, { "a/b": "c" });
  const run = (...args: readonly string[]): string =>
    execFileSync(process.execPath, ["--require", preload, program, context.home, ...args], { encoding: "utf8" });
  // The control: the preload works.
  const script = `require("node:fs").renameSync(${JSON.stringify(context.home)}, "/tmp/x")`;
  expect(() => execFileSync(process.execPath, ["--require", preload, "-e", script], { stdio: "ignore" })).toThrow();

  expect(run("remove", "dev")).toBe("done\n");
  expect([...readRegistry(context.home).keys()]).toEqual([]);
  expect(fs.existsSync(pathsOf(context, "dev").profile)).toBe(false);
  expect(run("restore", "dev")).toBe("done\n");
  expect(fs.readdirSync(path.join(context.home, "trash"))).toEqual([]);
  expect(run("rename", "dev", "new")).toBe("done\n");
  expect(fs.readdirSync(path.join(context.home, "profiles"))).toEqual(["new"]);
  const { state, lock } = pathsOf(context, "new");
  expect(fs.readFileSync(path.join(state, "a/b"), "utf8")).toBe("c");
  expect(fs.readdirSync(lock)).toEqual([]);
  expect(fs.existsSync(path.join(context.home, "registry.intent.json"))).toBe(false);
});
