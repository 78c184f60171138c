/**
 * The check before a release: a tarball that npm could not install, or that would surprise a user, is refused with the
 * reason.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/check-tarball.js", import.meta.url));

const SOUND = {
  name: "sound",
  version: "1.0.0",
  license: "MIT",
  repository: "a",
  homepage: "b",
  keywords: ["c"],
  engines: { node: ">=20.19" },
  bin: { sound: "bin/sound.js" },
};

/** Packs a package with that manifest and those files beside the usual ones; returns the check's result. */
function check(
  manifest: object,
  files: readonly string[] = [],
): { readonly status: number | null; readonly said: string } {
  const scratch = mkdtempSync(path.join(tmpdir(), "lockkeeper-tarball-"));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  for (const file of ["LICENSE", "README.md", "bin/sound.js", ...files]) {
    mkdirSync(path.dirname(path.join(scratch, "package", file)), { recursive: true });
    writeFileSync(path.join(scratch, "package", file), "");
  }
  writeFileSync(path.join(scratch, "package/package.json"), JSON.stringify(manifest));
  const tarball = path.join(scratch, "a.tgz");
  execFileSync("tar", ["-czf", tarball, "-C", scratch, "package"]);
  const { status, stdout } = spawnSync(process.execPath, [script, tarball], { encoding: "utf8" });
  return { status, said: stdout.trim().slice(tarball.length + 2) };
}

test("a sound package passes", () => {
  expect(check(SOUND)).toEqual({ status: 0, said: "npm can install it" });
});

test.each([
  ["the workspace protocol", { ...SOUND, dependencies: { a: "workspace:*" } }, "npm cannot install a@workspace:*"],
  ["a path", { ...SOUND, optionalDependencies: { a: "file:../a" } }, "npm cannot install a@file:../a"],
  ["an install script", { ...SOUND, scripts: { postinstall: "x" } }, "it would run postinstall on a user's machine"],
  ["a missing program", { ...SOUND, bin: { sound: "bin/none.js" } }, "it lacks bin/none.js"],
  ["no repository", { ...SOUND, repository: undefined }, "package.json has no repository"],
])("%s is refused", (_, manifest, said) => {
  expect(check(manifest)).toEqual({ status: 1, said });
});

test("sources are refused", () => {
  expect(check(SOUND, ["src/a.ts"])).toEqual({ status: 1, said: "it holds sources or tests" });
});
