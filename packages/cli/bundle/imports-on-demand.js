/**
 * A rolldown plugin that writes an import on demand as one call. Rolldown writes a promise and two functions for each, and a file with
 * a hundred of them has two hundred functions more, each of which is made when the file is loaded.
 */
import MagicString from "magic-string";
import { rewriteChunks } from "./rewrite-chunks.js";

export const importsOnDemand = rewriteChunks("imports-on-demand", withImportsOnDemand);

const IMPORT =
  /Promise\.resolve\(\)\.then\(\(\) => require\(("\.[^"]+")\)\)(?:\.then\(\((\w+)\) => \2\.([\w$]+)\))?(?!\.then)/g;

/** As with `import()`, nothing is loaded before the caller has ended: a file that is still being loaded has no exports yet. */
const HELPER =
  "const importOnDemand = async (file, module) => (await undefined, module === undefined ? require(file) : require(file)[module]);\n";

/** Returns `code` in which a file of the bundle, or a module in one, is imported by a call. */
export function withImportsOnDemand(code) {
  const chunk = new MagicString(code);
  const found = [...code.matchAll(IMPORT)];
  for (const { 0: text, 1: file, 3: module, index } of found) {
    const called = module === undefined ? `importOnDemand(${file})` : `importOnDemand(${file}, "${module}")`;
    chunk.overwrite(index, index + text.length, called);
  }
  if (found.length > 0) chunk.prepend(HELPER);
  return chunk;
}
