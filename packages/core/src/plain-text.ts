/** Makes foreign text safe for a terminal or a log: paths, commands, log lines, error messages. Pure. */

// C0 but tab and newline, DEL, C1, and the characters that reorder or hide text (bidirectional controls, separators).
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** Returns the text with every control character escaped as `\xNN` or `\uNNNN`; newlines and tabs are kept. */
export function plainText(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** The same and tab and newline: most texts have none of them, and are searched once. */
// oxlint-disable-next-line no-control-regex
const UNSAFE_ON_A_LINE = /[\u0000-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/;

/** Returns the text on one line: as {@link plainText}, with newlines and tabs escaped too. */
export function plainLine(text: string): string {
  if (!UNSAFE_ON_A_LINE.test(text)) return text;
  return plainText(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** Returns `value` as JSON that is safe for a terminal: characters that JSON leaves raw are escaped, which changes no value. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(UNSAFE, inJson);
}

function inJson(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Our own colours, and characters that a terminal must not see. */
// oxlint-disable-next-line no-control-regex
const OURS_OR_UNSAFE = new RegExp(`\u001B\\[(?:1|2|22|31|32|33|36|39)m|${UNSAFE.source}`, "g");

/**
 * Returns rendered text with every control character escaped, except for our own colours: a planted file may have put some
 * into it. One pass over everything that is shown.
 */
export function plainOutput(text: string): string {
  return text.replaceAll(OURS_OR_UNSAFE, (found) => (found.length > 1 ? found : plainText(found)));
}
