/**
 * A rolldown plugin that turns a large constant into one text of JSON, of which a program parses the parts that it asks for: making
 * a hundred objects takes longer than all else that a short command does with them. For modules whose constant is an object of
 * plain data; anything else fails the build.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import { transformSync } from "rolldown/utils";

/** Returns the plugin for `constants`: from the path of a module to the name of its constant. `scratch` is a folder of the package. */
export function dataAsText(constants, scratch) {
  return {
    name: "data-as-text",
    transform(code, id) {
      const name = constants[id];
      return name === undefined ? null : { code: withoutData(code, id, name, scratch), map: { mappings: "" } };
    },
  };
}

function withoutData(code, id, name, scratch) {
  const script = transformSync(id, code, { lang: "ts" }).code;
  const data = evaluate(script, path.join(scratch, `${path.basename(id, ".ts")}-${process.hrtime.bigint()}.mjs`))[name];
  const parts = Object.entries(data).map(([key, value]) => [key, JSON.stringify(value)]);
  for (const [key, part] of parts) {
    deepStrictEqual(JSON.parse(part), data[key], `${name} of ${id} is not plain data`);
    if (!/^\w+$/.test(key)) throw new Error(`${name} of ${id} has a key that is no word: ${key}`);
  }
  const start = script.indexOf(`export const ${name} = {`);
  const end = script.indexOf("\n};", start);
  if (start === -1 || end === -1) throw new Error(`${id} has no constant ${name} of the known shape`);
  const keys = JSON.stringify(parts.map(([key]) => key).join(" "));
  const lengths = JSON.stringify(parts.map(([, part]) => part.length));
  const text = JSON.stringify(parts.map(([, part]) => part).join(""));
  const constant = `export const ${name} = /* @__PURE__ */ fromText(${keys}, ${lengths}, ${text});`;
  return `${READER}${script.slice(0, start)}${constant}${script.slice(end + 3)}`;
}

/** An object with the same keys, each of which is parsed when it is asked for. A hundred getters would take longer to make. */
const READER = `
function fromText(words, lengths, text) {
  const keys = words.split(" ");
  const parsed = new Map();
  const part = (key) => {
    const before = parsed.get(key);
    if (before !== undefined) return before;
    const at = keys.indexOf(key);
    if (at === -1) return undefined;
    let start = 0;
    for (let index = 0; index < at; index += 1) start += lengths[index];
    const value = JSON.parse(text.slice(start, start + lengths[at]));
    parsed.set(key, value);
    return value;
  };
  return new Proxy({}, {
    get: (_, key) => part(key),
    has: (_, key) => keys.includes(key),
    ownKeys: () => keys,
    getOwnPropertyDescriptor: (_, key) =>
      keys.includes(key) ? { value: part(key), writable: true, enumerable: true, configurable: true } : undefined,
  });
}
`;

/** In a file of its own, where the packages that it imports are found; under another name each time, as Node keeps modules. */
function evaluate(script, file) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, script);
  try {
    return createRequire(file)(file);
  } finally {
    rmSync(file);
  }
}
