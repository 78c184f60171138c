/**
 * The image of container tests: Node, a shell and Lockkeeper from this machine's own programs, because no registry is
 * used.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { CLI_ENTRY } from "./cli.ts";

/** The programs beside Node and Lockkeeper. */
export const PROGRAMS = ["sh", "mkdir", "chmod", "sleep", "touch", "cat", "tar", "catatonit"] as const;

/**
 * Makes the files of the image in `root` and returns them as a tar archive.
 *
 * @throws when one of {@link PROGRAMS} is not installed.
 */
export function packImage(root: string): Buffer {
  for (const place of ["usr/bin", "usr/lib", "tmp", "etc", "opt/lockkeeper", "volume"]) {
    mkdirSync(path.join(root, place), { recursive: true });
  }
  for (const [link, target] of rootLinks()) symlinkSync(target, path.join(root, link));
  writeFileSync(path.join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n");
  const programs = PROGRAMS.map((program) => [find(program) ?? program, program] as const);
  for (const [file, name] of [[process.execPath, "node"] as const, ...programs]) {
    cpSync(realpathSync(file), path.join(root, "usr/bin", name));
    for (const library of librariesOf(file)) {
      // Under the name that the loader looks for, in the place where /lib leads.
      const place = path.join(root, library.startsWith("/usr/") ? library : `/usr${library}`);
      mkdirSync(path.dirname(place), { recursive: true });
      cpSync(realpathSync(library), place);
    }
  }
  copyPackage(path.dirname(path.dirname(CLI_ENTRY)), path.join(root, "opt/lockkeeper"));
  const launcher = '#!/bin/sh\nexec node /opt/lockkeeper/bin/lockkeeper.js "$@"\n';
  writeFileSync(path.join(root, "usr/bin/lockkeeper"), launcher, { mode: 0o755 });
  const archive = execFileSync("tar", ["-C", root, "--mode=go+rX", "-c", "."], { maxBuffer: 1 << 30 });
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  return archive;
}

/** The published files of the command line, with its dependencies beside it. */
function copyPackage(from: string, to: string): void {
  const published = ["bin", "dist", "package.json"];
  for (const part of published) {
    cpSync(path.join(from, part), path.join(to, part), { recursive: true, filter: (file) => !file.endsWith(".map") });
  }
  const copyDependencies = (folder: string, beside: string): void => {
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const name of Object.keys(dependencies)) {
      const target = path.join(to, "node_modules", name);
      const source = path.join(beside, name);
      if (existsSync(target) || !existsSync(source)) continue;
      const real = realpathSync(source);
      cpSync(real, target, { recursive: true, dereference: true });
      copyDependencies(real, path.dirname(real));
    }
  };
  copyDependencies(from, path.join(from, "node_modules"));
}

/** Source: ldd(1): `name => /path (address)`, or the loader by its path alone. */
function librariesOf(file: string): readonly string[] {
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].flatMap(([, library]) =>
    library === undefined ? [] : [library],
  );
}

/** The folders of `/` that are links into `/usr`. */
export function rootLinks(): readonly (readonly [string, string])[] {
  const merged = readdirSync("/").filter((name) => /^(?:bin|sbin|lib\d*)$/.test(name));
  return merged.map((name) => [name, `usr/${name}`] as const);
}

/** Returns where a program is. */
export function find(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/usr/bin");
  return folders.map((folder) => path.join(folder, program)).find((file) => existsSync(file));
}
