/** Breaks text between words, so that no line of it runs into the margin. Pure. */

/**
 * Returns the text as lines of at most `columns`, all but the first with `margin` blanks in front; the first line begins after
 * as many columns. A word that is longer than a line stays whole, because it may be a path to copy.
 */
export function wrapBehind(text: string, margin: number, columns: number): string {
  if (columns === Infinity) return text;
  const room = Math.max(20, columns - margin);
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(margin)}`);
}
