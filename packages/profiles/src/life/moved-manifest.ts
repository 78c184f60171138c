/** A manifest for another folder: every path into the old folder becomes a path into the new one. Pure. */
import { sep } from "node:path";
import type { Manifest } from "../manifest.ts";

/** Returns `manifest` with its cwd, env file, arguments, hooks and values of variables moved from one folder to another. */
export function moveManifest(manifest: Manifest, from: string, to: string): Manifest {
  const { cwd, envFile, command, env, hooks } = manifest;
  const moved = (text: string): string => movePath(text, from, to);
  return {
    ...manifest,
    ...(cwd === undefined ? {} : { cwd: moved(cwd) }),
    ...(envFile === undefined ? {} : { envFile: moved(envFile) }),
    ...(command === undefined ? {} : { command: command.map(moved) }),
    ...(hooks === undefined
      ? {}
      : { hooks: Object.fromEntries(Object.entries(hooks).map(([event, target]) => [event, moved(target)])) }),
    ...(env === undefined
      ? {}
      : { env: Object.fromEntries(Object.entries(env).map(([variable, value]) => [variable, moved(value)])) }),
  };
}

/** Returns `path` under `to` when it is `from` or lies in it, else as it was. */
export function movePath(path: string, from: string, to: string): string {
  if (path === from) return to;
  return path.startsWith(from + sep) ? to + path.slice(from.length) : path;
}
