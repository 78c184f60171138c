/**
 * A rolldown plugin for the file of rolldown's own helpers, which every other file would load first: most use none of them once
 * built-in modules are deferred, or only the one that makes the namespace of a module that is imported on demand. That one is
 * written into the file itself.
 */
import MagicString from "magic-string";

export const ownHelpers = {
  name: "own-helpers",
  renderChunk(code) {
    const chunk = withOwnHelpers(code);
    return { code: chunk.toString(), map: chunk.generateMap({ hires: "boundary" }) };
  },
};

const REQUIRED = /^const (require_\w+) = require\("[^"]*rolldown-runtime[^"]*"\);$/m;

/** The same that rolldown's does with its getters. */
const NAMESPACE =
  "{ __exportAll(all) { const namespace = { __proto__: null }; for (const name in all) Object.defineProperty(namespace, name, { get: all[name], enumerable: true }); return Object.preventExtensions(namespace); } }";

/** Returns `code` without the file of helpers, where that is not needed; as it is where other helpers are. */
export function withOwnHelpers(code) {
  const chunk = new MagicString(code);
  const required = REQUIRED.exec(code);
  if (required === null) return chunk;
  const [line, name] = required;
  const uses = [...code.matchAll(new RegExp(`\\b${name}\\.(\\w+)\\((.)`, "g"))];
  const bare = code.split(name).length - 2 - uses.length;
  if (bare > 0 || uses.some(([, helper, next]) => helper !== "__exportAll" || next !== "{")) return chunk;
  const place = [required.index, required.index + line.length];
  if (uses.length === 0) chunk.remove(...place);
  else chunk.overwrite(...place, `const ${name} = ${NAMESPACE};`);
  return chunk;
}
