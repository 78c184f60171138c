/**
 * Measures text on a terminal and makes it fit. Text must be free of control sequences. The tables of characters take half as long
 * to load as Node itself, and most text never needs them: code that shows other people's text calls {@link loadWidths}.
 */

/** Measures any text; undefined until it was loaded. */
let measure: ((text: string) => number) | undefined;
let isWanted = false;

/** Loads what measures every character, when a text has needed it; true when what was shown is to be drawn again. */
export async function loadWidths(): Promise<boolean> {
  if (!isWanted || measure !== undefined) return false;
  measure = (await import("string-width")).default;
  return true;
}

/**
 * Returns how many columns the text takes: two for a wide character, none for a combining one. Until {@link loadWidths} each
 * character beyond ASCII counts as one.
 */
export function cellWidth(text: string): number {
  if (isPlain(text)) return text.length;
  isWanted = true;
  return measure === undefined ? Array.from(text).length : measure(text);
}

/** Returns the text in at most `columns` columns, cut with an ellipsis where it is longer. */
export function cutToWidth(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (cellWidth(text) <= columns) return text;
  if (isPlain(text)) return `${text.slice(0, columns - 1)}…`;
  let kept = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += cellWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Returns the text in exactly `columns` columns, padded on the right, or on the left with `right`. */
export function fitToWidth(text: string, columns: number, align: "left" | "right" = "left"): string {
  const cut = cutToWidth(text, columns);
  const blanks = " ".repeat(Math.max(0, columns - cellWidth(cut)));
  return align === "left" ? cut + blanks : blanks + cut;
}

/** ASCII and the marks of our own views: one column each. */
function isPlain(text: string): boolean {
  return /^[ -~…─●◐◌◑▲■✗○]*$/.test(text);
}
