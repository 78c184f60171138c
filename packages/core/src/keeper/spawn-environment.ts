/**
 * Checks an inherited environment when a gateway is spawned, which may be days after its keeper was started: the starting
 * shell may have had its own directory for temporary files, which is gone now.
 */
import { statSync } from "node:fs";
import type { Stats } from "node:fs";

/** Variables that name one directory for a process to write in. Source: environ(7), the XDG base directory specification. */
const DIRECTORIES = ["TMPDIR", "XDG_RUNTIME_DIR"] as const;

const MODE = { othersMayWrite: 0o002, groupMayWrite: 0o020 };

/** An environment, and the variables that were left out. */
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
  if (!stats.isDirectory()) return "is not a directory";
  if (stats.uid === process.geteuid?.() || process.geteuid === undefined) return undefined;
  // A shared directory for temporary files belongs to root; a runtime directory always belongs to its user.
  const shared = (stats.mode & MODE.othersMayWrite) !== 0 || (stats.mode & MODE.groupMayWrite) !== 0;
  return name === "TMPDIR" && shared ? undefined : `belongs to another user (uid ${stats.uid})`;
}

/** Undefined for a path that cannot be reached, because the gateway could not reach it either. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
