/**
 * A rolldown plugin that makes a file of the bundle the text of one function, which the loader compiles as it stands: a text that is
 * put together when it is loaded is copied once more. It comes after all others, which expect a module.
 */
import MagicString from "magic-string";

export const asFunction = {
  name: "as-function",
  renderChunk: {
    order: "post",
    handler(code) {
      const chunk = new MagicString(code);
      chunk.prepend("(function (exports, require, module, __filename, __dirname) { ").append("\n})");
      return { code: chunk.toString(), map: chunk.generateMap({ hires: "boundary" }) };
    },
  },
};
