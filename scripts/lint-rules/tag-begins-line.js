/**
 * In a docstring of several lines each tag begins its line: an editor shows it apart, and a reader finds it. `@default` may end the
 * sentence about an option.
 */

const TAG_WITHIN_LINE = /[^\s*][^\S\n]+@(?:throws|param|returns)\b/;

export const tagBeginsLine = {
  meta: {
    type: "layout",
    messages: { within: "each @throws, @param and @returns begins a line of its own" },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const isDocstring = comment.type === "Block" && comment.value.startsWith("*") && comment.value.includes("\n");
          if (isDocstring && TAG_WITHIN_LINE.test(comment.value))
            context.report({ loc: comment.loc, messageId: "within" });
        }
      },
    };
  },
};
