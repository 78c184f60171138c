/**
 * Rolldown plugins that minify a bundle and write what is not ASCII as escapes. V8 keeps the text of a program as long as it
 * runs, with two bytes a character as soon as one is not Latin-1: half a megabyte more for a keeper. The minifier writes such
 * characters as they are, so this comes after it; as plugins, so that the source maps stay true.
 */
import MagicString from "magic-string";
import { minifySync } from "rolldown/utils";
import { rewriteChunks } from "./rewrite-chunks.js";

/** Smaller files are read and compiled faster; functions keep their names, so that a stack trace still tells something. */
const minify = {
  name: "minify",
  renderChunk(code, { fileName }) {
    const mangle = { toplevel: true, keepNames: { function: true, class: true } };
    const options = { compress: true, mangle, codegen: { removeWhitespace: true }, sourcemap: true };
    const { code: small, map, errors } = minifySync(fileName, code, options);
    if (errors.length > 0) throw new Error(`${fileName}: ${errors[0].message}`);
    return { code: small, map };
  },
};

const escape = rewriteChunks("one-byte", oneByte);

export const minifyToOneByte = [minify, escape];

/** Returns `code` with an escape for each unit beyond ASCII: it stands in a text or an expression, where both mean the same. */
export function oneByte(code) {
  const chunk = new MagicString(code);
  for (const { index, 0: unit } of code.matchAll(/[^\0-\x7f]/g)) {
    chunk.overwrite(index, index + 1, `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }
  return chunk;
}
