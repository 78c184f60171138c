/**
 * A rolldown plugin for code that runs for months, in a bundle whose files are loaded when they are first used: an upgrade may remove
 * a file before that. Each file with one of the modules `roots` loads, at its end, every other file that it imports, directly or not;
 * imports on demand stay on demand.
 */
import path from "node:path";
import MagicString from "magic-string";
import { rewriteChunks } from "./rewrite-chunks.js";

export function loadTogether(roots) {
  return rewriteChunks("load-together", (code, { fileName, moduleIds }, chunks) => {
    const stays = moduleIds.some((id) => roots.includes(id));
    return withFiles(code, stays ? filesBehind(fileName, (file) => chunks[file]?.imports ?? []) : []);
  });
}

/** Returns `code` with calls at its end that load `files`. By then its own exports are set, which some of these files need. */
export function withFiles(code, files) {
  const chunk = new MagicString(code);
  for (const file of files) chunk.append(`\nrequire("./${path.basename(file)}");`);
  return chunk;
}

/** Returns the files of the bundle to which `importsOf` leads from `file`, directly or not, without itself. */
export function filesBehind(file, importsOf) {
  const found = new Set([file]);
  // Names with another ending are modules of Node, or packages.
  for (const each of found) for (const next of importsOf(each)) if (next.endsWith(".cjs")) found.add(next);
  found.delete(file);
  return [...found];
}
