/** Quotes commands for people to paste, so that `sh` reads every word as intended. Pure. */

/** Safe without quotes in every POSIX shell; a leading `=` means something to zsh, a leading `~` to all. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/;

// What a terminal is not shown as it is: control characters, and those that reorder or hide text.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/;

/** Returns one word for a POSIX shell, quoted only where necessary. */
export function shellQuote(word: string): string {
  if (PLAIN_WORD.test(word)) return word;
  if (!UNPRINTABLE.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`;
  // `$(...)` cuts line ends off, so they stand behind it.
  const lineEnds = /\n*$/.exec(word)?.[0] ?? "";
  const bytes = Buffer.from(word.slice(0, word.length - lineEnds.length));
  const octal = [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return `"$(printf '${octal}')"${lineEnds === "" ? "" : `'${lineEnds}'`}`;
}

/** Returns the words as one command line. */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellQuote).join(" ");
}
