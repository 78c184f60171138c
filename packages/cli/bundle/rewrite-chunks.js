/** Makes a rolldown plugin of a function that rewrites the text of a chunk. */

/**
 * Returns the plugin. `rewrite` gets the chunk's code, what rolldown knows about it, and all chunks by their file names; it
 * returns a MagicString, so that the source map stays true.
 */
export function rewriteChunks(name, rewrite) {
  return {
    name,
    renderChunk(code, chunk, _, { chunks }) {
      const rewritten = rewrite(code, chunk, chunks);
      return { code: rewritten.toString(), map: rewritten.generateMap({ hires: "boundary" }) };
    },
  };
}
