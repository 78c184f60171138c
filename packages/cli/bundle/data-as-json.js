/**
 * A rolldown plugin that writes a large constant as JSON text, which Node reads faster than a literal: it is parsed in
 * one pass, and nothing of it is compiled. For modules whose constant is plain data; anything else fails the build.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import { transformSync } from "rolldown/utils";

/** Returns the plugin for `constants`: from the path of a module to the name of its constant. `scratch` is a folder of the package. */
export function dataAsJson(constants, scratch) {
  return {
    name: "data-as-json",
    transform(code, id) {
      const name = constants[id];
      return name === undefined ? null : { code: withJson(code, id, name, scratch), map: { mappings: "" } };
    },
  };
}

function withJson(code, id, name, scratch) {
  const script = transformSync(id, code, { lang: "ts" }).code;
  const data = evaluate(script, path.join(scratch, `${path.basename(id, ".ts")}-${process.hrtime.bigint()}.mjs`))[name];
  const text = JSON.stringify(data);
  deepStrictEqual(JSON.parse(text), data, `${name} of ${id} is not plain data`);
  const start = script.indexOf(`export const ${name} = {`);
  const end = script.indexOf("\n};", start);
  if (start === -1 || end === -1) throw new Error(`${id} has no constant ${name} of the known shape`);
  return `${script.slice(0, start)}export const ${name} = /* @__PURE__ */ JSON.parse(${JSON.stringify(text)});${script.slice(end + 3)}`;
}

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
