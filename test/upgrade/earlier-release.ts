/**
 * Release 0.1.0 of the command line, as it was packed from its commit (88fb333), and copies of the present one, so that
 * both run side by side and one can be removed under a living keeper. The package is a fixture because a source archive
 * has no history to build it from, and today's tools and dependencies will not build it forever.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bareEnvironment, CLI_ENTRY } from "../harness/cli.ts";

/** The result of one command. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An installed command line. */
export interface Installation {
  /** Where it is installed. */
  readonly folder: string;
  readonly entry: string;
}

/** Installs release 0.1.0 below `folder`. */
export function installEarlier(folder: string): Installation {
  const tarball = fileURLToPath(new URL("fixtures/lockkeeper-0.1.0.tgz", import.meta.url));
  mkdirSync(folder);
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", folder]);
  return withAddon(folder);
}

/** Installs a copy of the present build below `folder`. */
export function installPresent(folder: string): Installation {
  const source = path.dirname(path.dirname(CLI_ENTRY));
  for (const part of ["package.json", "bin", "dist"]) {
    cpSync(path.join(source, part), path.join(folder, part), { recursive: true });
  }
  return withAddon(folder);
}

/** The lock's addon is the only dependency that is not in the bundle. */
function withAddon(folder: string): Installation {
  const addon = createRequire(CLI_ENTRY).resolve("fs-native-extensions/package.json");
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(path.dirname(addon), path.join(folder, "node_modules/fs-native-extensions"));
  return { folder, entry: path.join(folder, "bin/lockkeeper.js") };
}

/** Runs one command of an installation on `home` to its end. */
export function run({ entry }: Pick<Installation, "entry">, home: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    encoding: "utf8",
    cwd: path.dirname(home),
    env: bareEnvironment(home),
    timeout: 240_000,
    killSignal: "SIGKILL",
  });
  return { status, stdout, stderr };
}
