/**
 * A rolldown plugin that loads Node's own modules when they are first used. `node:crypto` and `node:child_process` alone
 * cost several milliseconds, and many a module imports them for the one function that is seldom called.
 *
 * It rewrites what rolldown emits for CommonJS, before minification: the line that requires a built-in becomes a function
 * that requires it once, and every use of the name becomes a call. A shape that it does not know fails the build.
 */
import MagicString from "magic-string";

export const deferBuiltins = {
  name: "defer-builtins",
  renderChunk(code) {
    const chunk = deferred(code);
    return { code: chunk.toString(), map: chunk.generateMap({ hires: "boundary" }) };
  },
};

/**
 * Returns `code` with its built-in modules deferred.
 *
 * @throws {Error} when a built-in is used in a way that cannot be deferred, quoting the place.
 */
export function deferred(code) {
  const chunk = new MagicString(code);
  const names = [];
  for (const match of code.matchAll(/^let (node_\w+) = require\("(node:[\w/]+)"\);$/gm)) {
    const [line, name, id] = match;
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
    if (code.split(name).length === 2) chunk.remove(match.index, match.index + line.length);
  }
  return chunk;
}

function deferName(chunk, code, name) {
  const declaration = code.indexOf(`let ${name} = require(`);
  const interop = new RegExp(`^${name} = [\\w.$]+\\(${name}, 1\\);\\n`, "gm");
  const handled = [[declaration, code.indexOf("\n", declaration)]];
  for (const { index, 0: line } of code.matchAll(interop)) {
    chunk.remove(index, index + line.length);
    handled.push([index, index + line.length]);
  }
  const use = new RegExp(`(?<![\\w.$])(new )?${name}\\b((?:\\.\\w+)*)(\\()?`, "g");
  for (const match of code.matchAll(use)) {
    const [text, construct, members, call] = match;
    const start = match.index;
    if (handled.some(([from, to]) => start >= from && start < to)) continue;
    if (members === "") throw new Error(`${name} is used as a value: ${code.slice(start - 40, start + 60)}`);
    const path = members.replace(/^\.default\b/, "");
    // Without parentheses `new` would take the loader itself for the class.
    const replaced =
      construct !== undefined && call !== undefined
        ? `new (${name}()${path})(`
        : `${construct ?? ""}${name}()${path}${call ?? ""}`;
    chunk.overwrite(start, start + text.length, replaced);
  }
}
