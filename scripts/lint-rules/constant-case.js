/**
 * Data that is known when the program is written has a name in capitals: `MAX_RESTARTS = 5`, `QUIET = new Set(["stop"])`. All else (functions,
 * objects with a life such as a list that is empty at first, values computed at start) is camelCase. A reader then sees in the middle of a line what cannot change.
 */

const CAPITALS = /^_?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;
/** Constructors whose result is data when their arguments are. */
const CONTAINERS = new Set(["Set", "Map", "RegExp"]);

/** Whether an expression is data written out: literals, arithmetic of them, and containers of them. */
function isData(node) {
  switch (node?.type) {
    case "Literal":
      return true;
    case "TemplateLiteral":
      return node.expressions.every(isData);
    case "UnaryExpression":
      return node.operator !== "typeof" && isData(node.argument);
    case "BinaryExpression":
      return isData(node.left) && isData(node.right);
    case "ArrayExpression":
      return node.elements.length > 0 && node.elements.every(isData);
    case "ObjectExpression":
      return (
        node.properties.length > 0 && node.properties.every((each) => each.type === "Property" && isData(each.value))
      );
    case "NewExpression":
      return CONTAINERS.has(node.callee.name) && node.arguments.length > 0 && node.arguments.every(isData);
    case "CallExpression":
      return isCall(node, "Object", "freeze") && node.arguments.every(isData);
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return isData(node.expression);
    default:
      return false;
  }
}

function isCall(node, object, property) {
  return (
    node.callee.type === "MemberExpression" &&
    node.callee.object.name === object &&
    node.callee.property.name === property
  );
}

/** A lone true or false is a mark that a module carries for its loader, such as a command's `exact`. */
function isSwitch(node) {
  return node.type === "Literal" && typeof node.value === "boolean";
}

/** The statement at the top of the file that a declaration belongs to: itself, or the `export` around it. */
function isAtTop(declaration) {
  const { parent } = declaration;
  return parent.type === "Program" || (parent.type === "ExportNamedDeclaration" && parent.parent.type === "Program");
}

export const constantCase = {
  meta: {
    type: "suggestion",
    messages: { capitals: "`{{name}}` is data known when the program is written: name it in capitals." },
  },
  create(context) {
    return {
      VariableDeclaration(declaration) {
        if (declaration.kind !== "const" || !isAtTop(declaration)) return;
        for (const { id, init } of declaration.declarations) {
          if (id.type === "Identifier" && !CAPITALS.test(id.name) && isData(init) && !isSwitch(init)) {
            context.report({ node: id, messageId: "capitals", data: { name: id.name } });
          }
        }
      },
    };
  },
};
