/** Removes colours from a gateway's output, because they are useless in a log. Pure. */

/** Source: ECMA-48, SGR: the only control function that just sets colours. */
// oxlint-disable-next-line no-control-regex -- this is the character that begins it.
const PAINT = /\u001b\[[\d;:]*m/g;

/** Returns `text` without colour sequences. Other sequences stay; the code that shows the text escapes them. */
export function withoutColours(text: string): string {
  return text.includes("\u001b") ? text.replaceAll(PAINT, "") : text;
}
