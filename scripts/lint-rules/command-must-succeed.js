/**
 * A test that ignores the result of a command goes on when the command has failed, and fails later for a reason that nobody
 * understands. `mustRun` is for commands that only prepare a test; the result of `run` must be read.
 */

/** Whether a call is `run(["list"])` or `scratch.run(["list"])`. A `run` that takes words one by one is for other programs. */
function isRun({ callee, arguments: [first] }) {
  if (first?.type === "Literal") return false;
  return callee.type === "Identifier"
    ? callee.name === "run"
    : callee.type === "MemberExpression" && callee.object.name === "scratch" && callee.property.name === "run";
}

export const commandMustSucceed = {
  meta: {
    type: "problem",
    messages: { unread: "nobody reads this result: use mustRun, which fails when the command does" },
  },
  create(context) {
    return {
      "ExpressionStatement > AwaitExpression > CallExpression"(node) {
        if (isRun(node)) context.report({ node, messageId: "unread" });
      },
    };
  },
};
