/**
 * A rolldown plugin for the file of rolldown's own helpers, which every other file would load first: most use none of them once
 * built-in modules are deferred, or only the one that makes the namespace of a module that is imported on demand. That one is
 * written into the file itself. The helper for libraries that are imported on demand loads the file of helpers when it is called.
 */
import MagicString from "magic-string";
import { rewriteChunks } from "./rewrite-chunks.js";

export const ownHelpers = rewriteChunks("own-helpers", withOwnHelpers);

const REQUIRED = /^const (require_\w+) = (require\("[^"]*rolldown-runtime[^"]*"\));$/m;

/** The same that rolldown's does with its getters. */
const NAMESPACE =
  "__exportAll(all) { const namespace = { __proto__: null }; for (const name in all) Object.defineProperty(namespace, name, { get: all[name], enumerable: true }); return Object.preventExtensions(namespace); }";

function isOwn([, helper, next]) {
  return helper === "__toESM" || (helper === "__exportAll" && next === "{");
}

/** Returns `code` so that it loads the file of helpers late or never; unchanged where it needs other helpers at once. */
export function withOwnHelpers(code) {
  const chunk = new MagicString(code);
  const required = REQUIRED.exec(code);
  if (required === null) return chunk;
  const [line, name, loading] = required;
  const uses = [...code.matchAll(new RegExp(`\\b${name}\\.(\\w+)\\((.)`, "g"))];
  const bare = code.split(name).length - 2 - uses.length;
  const helpers = {
    __exportAll: NAMESPACE,
    // For imports on demand from a library that is not an ES module.
    __toESM: `__toESM(...given) { return ${loading}.__toESM(...given); }`,
  };
  if (bare > 0 || !uses.every(isOwn)) return chunk;
  const place = [required.index, required.index + line.length];
  const used = new Set(uses.map(([, helper]) => helpers[helper]));
  if (used.size === 0) chunk.remove(...place);
  else chunk.overwrite(...place, `const ${name} = { ${[...used].join(", ")} };`);
  return chunk;
}
