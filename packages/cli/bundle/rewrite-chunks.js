/** Makes a rolldown plugin of a function that rewrites the text of a chunk. */

/**
 * Returns the plugin. `rewrite` gets the chunk's code and what rolldown knows about it, and returns a MagicString, so that the
 * source map stays true.
 */
export function rewriteChunks(name, rewrite) {
  return {
    name,
    renderChunk(code, chunk) {
      const rewritten = rewrite(code, chunk);
      return { code: rewritten.toString(), map: rewritten.generateMap({ hires: "boundary" }) };
    },
  };
}
