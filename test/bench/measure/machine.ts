/** The machine on which the figures were taken. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { cpus, loadavg, release, type } from "node:os";
import path from "node:path";

/** Returns one line about the machine and its load. */
export function describeMachine(nodes: readonly string[]): string {
  const versions = nodes.map(versionOf).join(", ");
  return `${type()} ${release()} ${process.arch}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}), load ${currentLoad()} at the start, Node ${versions}.`;
}

/** Returns how many processes wanted a core in the last minute. */
export function currentLoad(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(1);
}

/** Returns what `node --version` prints, without the `v`. */
export function versionOf(node: string): string {
  return node === process.execPath
    ? process.versions.node
    : execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1);
}

/** Returns the newest other Node on the PATH with a name such as `node26`, when it is newer than this one. */
export function newerNode(): string | undefined {
  const major = Number(process.versions.node.split(".")[0]);
  const found = (process.env["PATH"] ?? "").split(path.delimiter).flatMap((folder) => {
    try {
      return readdirSync(folder).flatMap((name) => {
        const version = Number(/^node-?(\d+)$/.exec(name)?.[1]);
        return version > major ? [{ version, program: path.join(folder, name) }] : [];
      });
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => b.version - a.version)[0]?.program;
}

/** Returns the path of a program, or undefined when there is none of that name. */
export function findOnPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
