/** Colours in what a gateway printed: of no use in a log. Pure. */

/** Source: ECMA-48, SGR: the one control function that only paints. */
// oxlint-disable-next-line no-control-regex -- this is the character that begins it.
const PAINT = /\u001b\[[\d;:]*m/g;

/** Returns `text` without the sequences that colour it. Others stay: whoever shows it writes them out. */
export function withoutColours(text: string): string {
  return text.replaceAll(PAINT, "");
}
