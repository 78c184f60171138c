/**
 * A rolldown plugin that gives a chunk's exports, and those of a module in it that is imported on demand, as plain values. Rolldown
 * writes a getter for each, forty in a file that every command loads, so that an importer sees a later assignment; ours are
 * functions, classes and constants, and are there when the chunk has run.
 */
import MagicString from "magic-string";
import { rewriteChunks } from "./rewrite-chunks.js";

export const plainExports = rewriteChunks("plain-exports", withPlainExports);

const GETTER =
  /^Object\.defineProperty\(exports, "(\w+)", \{\s+enumerable: true,\s+get: function ?\(\) \{\s+return ([\w$.]+);\s+\}\s+\}\);$/gm;

const NAMESPACE =
  /^var ([\w$]+) = \/\* @__PURE__ \*\/ require_rolldown_runtime\.__exportAll\(\{((?:\s*[\w$]+: \(\) => [\w$]+,?)+)\s*\}\);$/gm;

/** Returns `code` with plain exports; one that is assigned more than once keeps its getter. */
export function withPlainExports(code) {
  const chunk = new MagicString(code);
  for (const { 0: getter, 1: name, 2: value, index } of code.matchAll(GETTER)) {
    if (!mayChange(code, value)) chunk.overwrite(index, index + getter.length, `exports.${name} = ${value};`);
  }
  // Their values are there at the end, before the chunk's own exports.
  const first = code.search(/^(?:exports\.|Object\.defineProperty\(exports, "\w+",)/m);
  const end = first === -1 ? code.length : first;
  for (const { 0: declared, 1: namespace, 2: entries, index } of code.matchAll(NAMESPACE)) {
    const members = [...entries.matchAll(/([\w$]+): \(\) => ([\w$]+)/g)];
    if (members.some(([, , value]) => mayChange(code, value))) continue;
    chunk.overwrite(index, index + declared.length, `var ${namespace};`);
    const plain = members.map(([, name, value]) => `${name}: ${value}`).join(", ");
    chunk.appendRight(end, `${namespace} = { __proto__: null, ${plain} };\n`);
  }
  return chunk;
}

/** Is a name that is declared in the chunk given a value anywhere but in its declaration, in whatever scope? */
function mayChange(code, name) {
  const own = name.replaceAll("$", "\\$");
  const given = new RegExp(
    `(?<![\\w$.])${own}\\s*(?:[-+*/%&|^?<>]{0,3}=(?![=>])|\\+\\+|--)|(?:\\+\\+|--)${own}\\b`,
    "g",
  );
  const declared = new RegExp(`(?<![\\w$.])(?:let|var|const) ${own} =`, "g");
  return [...code.matchAll(given)].length > [...code.matchAll(declared)].length;
}
