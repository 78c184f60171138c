/** Makes text that others wrote safe for a terminal or a log: paths, commands, log lines, error messages. Pure. */

// C0 but tab and newline, DEL, C1, and the characters that reorder or hide text (bidirectional controls, separators).
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** Returns the text with every control character written out as `\xNN` or `\uNNNN`; newlines and tabs are kept. */
export function plainText(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** Returns the text on one line: as {@link plainText}, newlines and tabs written out too. */
export function plainLine(text: string): string {
  return plainText(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}
