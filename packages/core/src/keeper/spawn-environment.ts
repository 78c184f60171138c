/**
 * What of an inherited environment still holds when a gateway is spawned, which may be days after its keeper was
 * started: the shell that started it may have had a directory of its own for temporary files, and taken it along.
 */
import { statSync } from "node:fs";
import type { Stats } from "node:fs";

/** Variables that name one directory for a process to write in. Source: environ(7), the XDG base directory specification. */
const DIRECTORIES = ["TMPDIR", "XDG_RUNTIME_DIR"] as const;

const MODE = { othersMayWrite: 0o002, groupMayWrite: 0o020 };

/** An environment, and what was left out of it. */
export interface UsableEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** One sentence for each variable that was dropped. */
  readonly dropped: readonly string[];
}

/** Returns `env` without the directories among `inherited` that are missing or belong to somebody else. */
export function usableEnvironment(
  env: Readonly<Record<string, string>>,
  inherited: readonly string[],
): UsableEnvironment {
  const facts = DIRECTORIES.flatMap((name) => {
    const path = env[name];
    if (path === undefined || !inherited.includes(name)) return [];
    const fault = faultOf(name, path);
    return fault === undefined ? [] : [{ name, text: `${name}=${path} ${fault}, so the gateway starts without it` }];
  });
  const names = new Set<string>(facts.map(({ name }) => name));
  return {
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name))),
    dropped: facts.map(({ text }) => text),
  };
}

function faultOf(name: (typeof DIRECTORIES)[number], path: string): string | undefined {
  const stats = statOf(path);
  if (stats === undefined) return "is gone";
  if (!stats.isDirectory()) return "is no directory";
  if (stats.uid === process.geteuid?.() || process.geteuid === undefined) return undefined;
  // A place for everybody's temporary files belongs to root; a runtime directory is always its user's own.
  const shared = (stats.mode & MODE.othersMayWrite) !== 0 || (stats.mode & MODE.groupMayWrite) !== 0;
  return name === "TMPDIR" && shared ? undefined : `belongs to another user (uid ${stats.uid})`;
}

/** Undefined for what cannot be reached, whatever the reason: the gateway could not either. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
