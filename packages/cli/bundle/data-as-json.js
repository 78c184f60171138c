/**
 * A rolldown plugin that puts a large constant into a file of JSON beside the bundle, of which a program reads the parts that it
 * asks for: what a command does not use is neither compiled nor parsed. For modules whose constant is an object of plain data;
 * anything else fails the build.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import { transformSync } from "rolldown/utils";

/**
 * Returns the plugin for `constants`: from the path of a module to the name of its constant. The file is written into `folder` of the
 * bundle, where the module must end up too. `scratch` is a folder of the package.
 */
export function dataAsJson(constants, folder, scratch) {
  const files = new Map();
  return {
    name: "data-as-json",
    transform(code, id) {
      const name = constants[id];
      if (name === undefined) return null;
      const { script, text } = withoutData(code, id, name, scratch);
      files.set(fileOf(name), text);
      return { code: script, map: { mappings: "" } };
    },
    generateBundle() {
      for (const [fileName, source] of files)
        this.emitFile({ type: "asset", fileName: `${folder}/${fileName}`, source });
    },
  };
}

function fileOf(name) {
  return `${name.toLowerCase()}.json`;
}

function withoutData(code, id, name, scratch) {
  const script = transformSync(id, code, { lang: "ts" }).code;
  const data = evaluate(script, path.join(scratch, `${path.basename(id, ".ts")}-${process.hrtime.bigint()}.mjs`))[name];
  const parts = Object.entries(data).map(([key, value]) => [key, JSON.stringify(value)]);
  for (const [key, part] of parts) deepStrictEqual(JSON.parse(part), data[key], `${name} of ${id} is not plain data`);
  // Places count characters, and the file is read as one byte each.
  const text = escaped(parts.map(([, part]) => part).join("\n"));
  const lengths = JSON.stringify(parts.map(([key, part]) => [key, escaped(part).length]));
  const start = script.indexOf(`export const ${name} = {`);
  const end = script.indexOf("\n};", start);
  if (start === -1 || end === -1) throw new Error(`${id} has no constant ${name} of the known shape`);
  const constant = `export const ${name} = /* @__PURE__ */ fromFile("${fileOf(name)}", ${lengths});`;
  return { script: `${READER}${script.slice(0, start)}${constant}${script.slice(end + 3)}`, text };
}

function escaped(text) {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** An object with the same keys, each of which is parsed when it is asked for. */
const READER = `
import { readFileSync as readData } from "node:fs";
import { join as joinData } from "node:path";
function fromFile(file, lengths) {
  let text;
  const object = {};
  let end = -1;
  for (const [key, length] of lengths) {
    const start = end + 1;
    end = start + length;
    const last = end;
    const get = () => {
      text ??= readData(joinData(import.meta.dirname, file), "latin1");
      const value = JSON.parse(text.slice(start, last));
      Object.defineProperty(object, key, { value, enumerable: true });
      return value;
    };
    Object.defineProperty(object, key, { get, enumerable: true, configurable: true });
  }
  return object;
}
`;

/** In a file of its own, where the packages that it imports are found as usual; of another name each time, as modules are cached. */
function evaluate(script, file) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, script);
  try {
    return createRequire(file)(file);
  } finally {
    rmSync(file);
  }
}
