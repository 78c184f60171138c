/**
 * A rolldown plugin for a dependency made of CommonJS files, which has Node's own modules loaded when they are first used: ws
 * requires TLS for its client and zlib for compression, of which a gateway uses neither, and `crypto`, which its first WebSocket
 * needs.
 */
import MagicString from "magic-string";

/** Modules that take long to load, and `querystring`, which only a client needs. */
const LATE = "crypto|https|querystring|tls|zlib";

/** Returns the plugin for the files whose path matches `files`. */
export function deferRequired(files) {
  return {
    name: "defer-required",
    transform(code, id) {
      if (!files.test(id)) return null;
      const file = requiredLater(code);
      return { code: file.toString(), map: file.generateMap({ hires: "boundary" }) };
    },
  };
}

/**
 * Returns `code` with a `require` at each use of such a module, in place of a constant.
 *
 * @throws {Error} when a module is used in a way that cannot be deferred, quoting the place.
 */
export function requiredLater(code) {
  const file = new MagicString(code);
  const words = /\/\/.*|\/\*[\s\S]*?\*\/|'[^'\n]*'/g;
  const left = [...code.matchAll(words)].map(({ index, 0: text }) => [index, index + text.length]);
  const uses = [];
  const declarations = new RegExp(`^const (?:(\\w+)|\\{ ([\\w, ]+) \\}) = require\\('(${LATE})'\\);\\n`, "gm");
  for (const { index, 0: line, 1: whole, 2: parts, 3: id } of code.matchAll(declarations)) {
    file.remove(index, index + line.length);
    left.push([index, index + line.length]);
    if (whole !== undefined) uses.push({ name: whole, goesOn: ".", later: `require('${id}')` });
    for (const part of parts?.split(", ") ?? [])
      uses.push({ name: part, goesOn: "(", later: `require('${id}').${part}` });
  }
  for (const { name, goesOn, later } of uses) {
    for (const { index } of code.matchAll(new RegExp(`(?<![\\w$.])${name}(?![\\w$])`, "g"))) {
      if (left.some(([from, to]) => index >= from && index < to)) continue;
      const end = index + name.length;
      if (code[end] !== goesOn) throw new Error(`${name} is used as a value: ${code.slice(index - 40, end + 40)}`);
      file.overwrite(index, end, later);
    }
  }
  return file;
}
