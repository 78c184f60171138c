/**
 * Lays out a table in columns. On a narrow terminal it first cuts and then drops the least important ones. Pure. Cells are
 * plain strings, and each costs one call and no object, so that a list of a thousand profiles stays fast.
 */

/** A column may be cut to `to` columns before any column of a lower rank than `rank` is dropped. */
export interface Cut {
  readonly rank: number;
  readonly to: number;
}

/** A column, and how it becomes narrower in a table that would be too wide. */
export interface Column {
  readonly title: string;
  /** A shorter title for a table that would be too wide. */
  readonly shortTitle?: string;
  /** Columns with the highest number are dropped first when the table is too wide; 0 is never dropped. */
  readonly expendable: number;
  /** Cuts in the order in which they are made. Room that is left over is given back. */
  readonly cuts?: readonly Cut[];
  readonly align?: "right";
  /** Decorates a cell together with its padding. Absent: nothing to decorate. */
  readonly paint?: ((cell: string, row: number) => string) | undefined;
}

const GAP = "  ";

/**
 * Returns the table, a line for the titles and one for each row. The last column is not padded, and is cut with an ellipsis if
 * it does not fit. Text must be free of control characters.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paintTitle: (text: string) => string,
): string {
  const { shown, widths, titles, isSame } = fitColumns(columns, rows, width);
  const last = shown.at(-1) ?? 0;
  const before = shown.reduce((sum, index) => sum + (index === last ? 0 : (widths[index] ?? 0) + GAP.length), 0);
  const room = Math.max(1, width - before);
  const places = shown.map((index): Place => {
    const padded = widths[index] ?? 0;
    return {
      index,
      // The last column needs no blanks after it.
      end: index === last || columns[index]?.align === "right" ? 0 : padded,
      start: columns[index]?.align === "right" ? padded : 0,
      most: index === last ? room : padded,
      gap: index === last ? "" : GAP,
      paint: columns[index]?.paint,
      text: undefined,
    };
  });
  const title = places.map(
    (place) => renderCell(titles[place.index] ?? "", { ...place, paint: paintTitle }, 0) + place.gap,
  );
  const lines = [lineOf(title, titles[last])];
  const { parts, own } = leaveOutSame(places, rows[0] ?? [], isSame);
  // The loop stands here, in a long function: V8 would optimize one of its own after some hundred rows, which costs as much again.
  for (let row = 0; row < rows.length; row += 1) {
    const cells = rows[row] ?? [];
    for (let at = 0; at < own.length; at += 1) {
      const place = own[at] as Place;
      const text = cells[place.index] ?? "";
      if (text === place.text && place.paint === undefined) continue;
      place.text = text;
      parts[2 * at + 1] = text.length === place.most && place.paint === undefined ? text : renderCell(text, place, row);
    }
    lines.push(lineOf(parts, cells[last]));
  }
  // One join makes one text; a text that is added to is copied once more.
  lines.push("");
  return lines.join("\n");
}

/** Where a cell goes: padded to `start` columns at its beginning or to `end` columns at its end, cut after `most`, then `gap`. */
interface Place {
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly most: number;
  readonly gap: string;
  readonly paint: Column["paint"];
  /** The text of the row before, whose cell is not made again: most columns of a long list say the same in every row. */
  text: string | undefined;
}

/**
 * Returns the places whose cells differ from row to row, and the parts of a line: the text before the first such cell, room for that
 * cell, the text before the next one, and so on. Cells that are the same in every row are part of these texts.
 */
function leaveOutSame(
  places: readonly Place[],
  first: readonly string[],
  isSame: readonly boolean[],
): { readonly parts: string[]; readonly own: readonly Place[] } {
  const parts = [""];
  const own: Place[] = [];
  for (const place of places) {
    const { index, paint, gap } = place;
    if (isSame[index] === true && paint === undefined) {
      parts.push(`${parts.pop() ?? ""}${renderCell(first[index] ?? "", place, 0)}${gap}`);
    } else {
      parts.push("", gap);
      own.push(place);
    }
  }
  return { parts, own };
}

function lineOf(parts: readonly string[], last: string | undefined = ""): string {
  const line = parts.join("");
  return last === "" ? line.trimEnd() : line;
}

function renderCell(text: string, { most, start, end, paint }: Place, row: number): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  const cell = start > 0 ? cut.padStart(start) : cut.padEnd(end);
  return paint === undefined ? cell : paint(cell, row);
}

interface Fit {
  readonly shown: readonly number[];
  readonly widths: readonly number[];
  readonly titles: readonly string[];
  /** By column: whether every row has the same text. */
  readonly isSame: readonly boolean[];
}

/** Possible reductions, one after the other. */
type Sacrifice = { readonly rank: number; readonly index: number } & (
  { readonly to: number } | { readonly drop: true }
);

function fitColumns(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): Fit {
  const natural = columns.map(() => 0);
  const first = rows[0] ?? [];
  for (let index = 0; index < first.length; index += 1) natural[index] = first[index]?.length ?? 0;
  const areEven = rows.every((row) => row.length === first.length);
  const isSame = columns.map(() => areEven);
  for (const row of rows) {
    for (let index = 0; index < row.length; index += 1) {
      const text = row[index] ?? "";
      if (text === first[index]) continue;
      isSame[index] = false;
      if (text.length > (natural[index] ?? 0)) natural[index] = text.length;
    }
  }
  let titles = columns.map(({ title }) => title);
  const whole = (): number[] => natural.map((length, index) => Math.max(length, titles[index]?.length ?? 0));
  let shown = columns.map((_, index) => index);
  let widths = whole();
  const excess = (): number =>
    shown.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP.length, -GAP.length) - width;
  if (excess() <= 0) return { shown, widths, titles, isSame };
  titles = columns.map(({ title, shortTitle }) => shortTitle ?? title);
  widths = whole();
  const cutTo = new Map<number, number>();
  for (const sacrifice of sacrifices(columns)) {
    const over = excess();
    if (over <= 0) break;
    const { index } = sacrifice;
    if ("drop" in sacrifice) {
      if (shown.length > 1) shown = shown.filter((each) => each !== index);
      continue;
    }
    const present = widths[index] ?? 0;
    widths[index] = Math.min(present, Math.max(sacrifice.to, present - over));
    cutTo.set(index, widths[index]);
  }
  const full = whole();
  for (const index of cutTo.keys()) {
    if (!shown.includes(index)) continue;
    const spare = Math.max(0, -excess());
    widths[index] = Math.min(full[index] ?? 0, (widths[index] ?? 0) + spare);
  }
  return { shown, widths, titles, isSame };
}

function sacrifices(columns: readonly Column[]): readonly Sacrifice[] {
  const all = columns.flatMap(({ expendable, cuts = [] }, index): readonly Sacrifice[] => [
    ...cuts.map(({ rank, to }) => ({ rank, index, to })),
    ...(expendable > 0 ? [{ rank: expendable, index, drop: true } as const] : []),
  ]);
  // A stable sort: the cut of a column comes before its loss.
  return all.toSorted((a, b) => b.rank - a.rank);
}
