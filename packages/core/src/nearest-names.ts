/**
 * Finds the known words that a person may have meant. Not a package, because the common ones ignore the swap of two neighbours
 * (`dve` for `dev`), the most frequent typing mistake. Pure.
 */

const SHOWN = 3;

/** Returns up to three of `known` that are near enough to `word` for a typing mistake, nearest first. */
export function nearestNames(word: string, known: Iterable<string>): readonly string[] {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const ranked: { name: string; distance: number }[] = [];
  for (const name of known) {
    const distance = name.startsWith(word) && word !== "" ? 1 : editDistance(word, name);
    if (distance <= limit) ranked.push({ name, distance });
  }
  ranked.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return ranked.slice(0, SHOWN).map(({ name }) => name);
}

/** Returns `Did you mean dev or prod?`, or undefined when none of `known` is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const near = nearestNames(word, known);
  return near.length > 0 ? `Did you mean ${near.join(" or ")}?` : undefined;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
 * Source: the restricted Damerau-Levenshtein ("optimal string alignment") distance.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      next.push(cost);
    }
    beforeLast = last;
    last = next;
  }
  return last[b.length] ?? 0;
}
