/**
 * JSON that people may have edited: checks that it is an object before its fields are read, and finds the place where a
 * damaged text stops being JSON, which `JSON.parse` of Node 20 does not always report. Pure.
 */

/** Both count from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

type Expected = "value" | "value or close" | "key" | "key or close" | "colon" | "comma or close" | "end";

/** Source: RFC 8259. White space, then one token: punctuation, a string, or a bare value. */
const TOKEN =
  // JSON strings must not hold control characters unescaped.
  // oxlint-disable-next-line no-control-regex
  /[ \t\r\n]*(?:([{}[\],:])|("[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

/** Returns whether a parsed value is an object with fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the place of the first token that does not fit, or the end when something is missing there. */
export function locateJsonError(text: string): TextPosition {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const next: Expected | undefined =
      match === null ? undefined : follow(match[1] ?? (match[2] === undefined ? "bare" : "string"), expected, open);
    if (next === undefined) return positionOf(text, at);
    expected = next;
    at = TOKEN.lastIndex;
  }
}

/** Returns what may follow `kind`, or undefined when `kind` is not allowed here. */
function follow(kind: string, expected: Expected, open: ("{" | "[")[]): Expected | undefined {
  const afterValue = (): Expected => (open.length === 0 ? "end" : "comma or close");
  const wantsValue = expected === "value" || expected === "value or close";
  const wantsKey = expected === "key" || expected === "key or close";
  const mayClose = expected.endsWith("close");
  switch (kind) {
    case "{":
    case "[":
      if (!wantsValue) return undefined;
      open.push(kind);
      return kind === "{" ? "key or close" : "value or close";
    case "}":
    case "]":
      if (!mayClose || open.pop() !== (kind === "}" ? "{" : "[")) return undefined;
      return afterValue();
    case ":":
      return expected === "colon" ? "value" : undefined;
    case ",":
      if (expected !== "comma or close") return undefined;
      return open.at(-1) === "{" ? "key" : "value";
    case "string":
      if (wantsKey) return "colon";
      return wantsValue ? afterValue() : undefined;
    default:
      return wantsValue ? afterValue() : undefined;
  }
}

function positionOf(text: string, from: number): TextPosition {
  const blanks = /^[ \t\r\n]*/.exec(text.slice(from))?.[0].length ?? 0;
  const before = text.slice(0, from + blanks).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
