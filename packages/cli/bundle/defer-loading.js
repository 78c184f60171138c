/**
 * Rolldown plugins that load a file when something of it is first used: Node's own modules, of which `node:crypto` and
 * `node:child_process` alone cost several milliseconds, and other files of the bundle, most of which a module imports for the one
 * function that is seldom called.
 *
 * They rewrite what rolldown emits for CommonJS, before minification: the line that requires a file becomes a function
 * that requires it once, and every use of the name becomes a call. A shape that they do not know fails the build.
 */
import path from "node:path";
import MagicString from "magic-string";
import { parseSync } from "rolldown/utils";
import { refuseCircle } from "./find-circle.js";
import { rewriteChunks } from "./rewrite-chunks.js";

/** Defers Node's modules alone: for a program of whose files an upgrade may remove some while it runs. */
export const deferBuiltins = deferring("defer-builtins", () => false);

/**
 * Defers Node's modules, and the files of the bundle except for the entry, which is loaded first. Fails when files need each
 * other in a circle while they are loaded. `entry`: the name of the entry.
 */
export function deferFiles(entry) {
  const itself = new RegExp(`^\\./${entry}-.{8}\\.cjs$`);
  const neededAtOnce = new Map();
  return {
    ...deferring(
      "defer-files",
      (file) => !itself.test(file),
      (file, needed) => neededAtOnce.set(file, needed),
    ),
    generateBundle: () => refuseCircle(neededAtOnce),
  };
}

function deferring(name, isDeferred, onFile = () => {}) {
  return rewriteChunks(name, (code, { fileName }) => {
    onFile(`./${path.basename(fileName)}`, requiredAtOnce(code));
    return deferred(code, isDeferred);
  });
}

const REQUIRED = /^(?:let|const) (node_\w+|require_\w+) = require\("((node:)?[^"]+)"\);$/gm;

/** Rolldown's own file, which is called in other ways; see `own-helpers.js`. */
const HELPERS = "require_rolldown_runtime";

/**
 * Returns `code` with its built-in modules deferred, and the other files for which `isDeferred`, which is given their path.
 *
 * @throws {Error} when one is used in a way that cannot be deferred, quoting the place.
 */
export function deferred(code, isDeferred = () => false) {
  const chunk = new MagicString(code);
  const names = [];
  for (const match of code.matchAll(REQUIRED)) {
    const [line, name, id, builtin] = match;
    if (builtin === undefined && (name === HELPERS || !isDeferred(id))) continue;
    names.push(name);
    const loader = `let loaded_${name}; const ${name} = () => (loaded_${name} ??= require("${id}"));`;
    chunk.overwrite(match.index, match.index + line.length, loader);
  }
  for (const name of names) deferName(chunk, code, name);
  // One that is imported on demand is required as well: our loader compiles files in a way that knows no `import()`.
  for (const { 0: text, 1: id, index } of code.matchAll(/(?<![\w$.])import\(\s*["'`](node:[\w/]+)["'`]\s*\)/g)) {
    chunk.overwrite(index, index + text.length, `Promise.resolve().then(() => require("${id}"))`);
  }
  // A chunk that was required for a built-in of its own alone is not needed any more.
  for (const match of code.matchAll(/^const (require_\w+) = require\("[^"]+"\);\n/gm)) {
    const [line, name] = match;
    if (!names.includes(name) && code.split(name).length === 2) chunk.remove(match.index, match.index + line.length);
  }
  return chunk;
}

function deferName(chunk, code, name) {
  const declaration = code.search(new RegExp(`^(?:let|const) ${name} = require\\(`, "m"));
  const interop = new RegExp(`^${name} = [\\w.$]+\\(${name}, 1\\);\\n`, "gm");
  const handled = [[declaration, code.indexOf("\n", declaration)]];
  for (const { index, 0: line } of code.matchAll(interop)) {
    chunk.remove(index, index + line.length);
    handled.push([index, index + line.length]);
  }
  const use = new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)(new )?${name}\\b((?:\\.\\w+)*)(\\()?`, "g");
  for (const match of code.matchAll(use)) {
    const [text, construct, members, call] = match;
    const start = match.index;
    if (handled.some(([from, to]) => start >= from && start < to)) continue;
    if (members === "") throw new Error(`${name} is used as a value: ${code.slice(start - 40, start + 60)}`);
    const way = name.startsWith("node_") ? members.replace(/^\.default\b/, "") : members;
    // Without parentheses `new` would take the loader itself for the class.
    const replaced =
      construct !== undefined && call !== undefined
        ? `new (${name}()${way})(`
        : `${construct ?? ""}${name}()${way}${call ?? ""}`;
    chunk.overwrite(start, start + text.length, replaced);
  }
}

/** Returns the files of the bundle that `code` uses while it is loaded, and not in a function that is called later. */
export function requiredAtOnce(code) {
  const files = new Map();
  for (const [, name, id, builtin] of code.matchAll(REQUIRED)) if (builtin === undefined) files.set(name, id);
  const found = new Set();
  const visit = (node, parent, key) => {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) {
      for (const each of node) visit(each, parent, key);
      return;
    }
    if (/Function/.test(node.type) || (parent?.type === "PropertyDefinition" && key === "value" && !parent.static))
      return;
    if (node.type === "Identifier" && files.has(node.name) && parent.type !== "VariableDeclarator")
      found.add(files.get(node.name));
    for (const [name, child] of Object.entries(node)) visit(child, node, name);
  };
  visit(parseSync("chunk.cjs", code, { sourceType: "script" }).program);
  return found;
}
