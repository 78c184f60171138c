/** Measures text on a terminal and makes it fit. Pure. Text must be free of control sequences. */
import stringWidth from "string-width";

/** Returns how many columns the text takes: two for a wide character, none for a combining one. */
export function cellWidth(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text);
}

/** Returns the text in at most `columns` columns, cut with an ellipsis where it is longer. */
export function cutToWidth(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (cellWidth(text) <= columns) return text;
  if (isPlain(text)) return `${text.slice(0, columns - 1)}…`;
  let kept = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += stringWidth(segment);
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

/** Most text is ASCII, and needs no table of characters. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}
