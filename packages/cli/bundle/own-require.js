/**
 * A rolldown plugin for the `require` that a module makes from its own URL: a file of CommonJS has one already. Making it takes
 * `node:module` and a URL, 0.7 ms in each command that takes a lock.
 */
import MagicString from "magic-string";
import { rewriteChunks } from "./rewrite-chunks.js";

const MADE = /\(0, node_module\.createRequire\)\(require\("url"\)\.pathToFileURL\(__filename\)\.href\)/g;

export const ownRequire = rewriteChunks("own-require", withOwnRequire);

/**
 * Returns `code` with the file's own `require` in place of one that is made.
 *
 * @throws {Error} when one is made in another way.
 */
export function withOwnRequire(code) {
  const chunk = new MagicString(code);
  for (const { index, 0: text } of code.matchAll(MADE)) chunk.overwrite(index, index + text.length, "require");
  if (chunk.toString().includes("createRequire)(")) throw new Error("a require is made in a way that is not known");
  return chunk;
}
