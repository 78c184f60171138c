/**
 * Files of `NAME=value` lines that other programs read (`EnvironmentFile=` of systemd, `.env`): read tolerantly, to find the
 * variables of a gateway that we do not run. Links are followed, because the files are not ours.
 */
import { readFileSync, statSync } from "node:fs";

/** Larger than any such file. */
const MAX_BYTES = 1_024 * 1_024;

/** Returns the assignments in `file`; the last of equal names wins; none when it cannot be read. */
export function readAssignments(file: string): Readonly<Record<string, string>> {
  try {
    const stats = statSync(file);
    return stats.isFile() && stats.size <= MAX_BYTES ? parseAssignments(readFileSync(file, "utf8")) : {};
  } catch {
    return {};
  }
}

/**
 * Returns the assignments of a text; other lines are skipped. Pure.
 *
 * Source: systemd.exec(5), EnvironmentFile=; and what dotenv reads on top: `export`, a comment after a value.
 */
function parseAssignments(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const [, name, rest = ""] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(rest);
    found[name] = quoted?.[2] ?? rest.replace(/\s+#.*$/, "").trimEnd();
  }
  return found;
}
