/**
 * Lays out a table in columns, giving up the least important ones where the terminal is too narrow. Pure. Cells are
 * bare strings, and a cell costs one call and no object: a list of a thousand profiles must not be felt.
 */

export interface Column {
  readonly title: string;
  /** Columns with the highest number are left out first when the table is too wide; 0 is never left out. */
  readonly expendable: number;
  readonly align?: "right";
  /** Decorates a cell together with its padding. Absent: nothing to decorate. */
  readonly paint?: ((cell: string, row: number) => string) | undefined;
}

const GAP = "  ";

/**
 * Returns the table, a line for the titles and one for each row. The last column is not padded, and cut with an ellipsis
 * where it still does not fit. Text must be free of control characters.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paintTitle: (text: string) => string,
): string {
  const widths = columns.map(({ title }) => title.length);
  for (const row of rows) {
    for (let index = 0; index < row.length; index += 1) {
      const length = row[index]?.length ?? 0;
      if (length > (widths[index] ?? 0)) widths[index] = length;
    }
  }
  const shown = chooseColumns(columns, widths, width);
  const last = shown.at(-1) ?? 0;
  const before = shown.reduce((sum, index) => sum + (index === last ? 0 : (widths[index] ?? 0) + GAP.length), 0);
  const room = Math.max(1, width - before);
  const plan: readonly Place[] = shown.map((index) => ({
    index,
    // The last column needs no blanks after it.
    end: index === last || columns[index]?.align === "right" ? 0 : (widths[index] ?? 0),
    start: columns[index]?.align === "right" ? (widths[index] ?? 0) : 0,
    paint: columns[index]?.paint,
  }));

  const titles = columns.map(({ title }) => title);
  const lines = [
    renderRow(
      titles,
      plan.map((place) => ({ ...place, paint: paintTitle })),
      0,
    ),
  ];
  for (let row = 0; row < rows.length; row += 1) lines.push(renderRow(rows[row] ?? [], plan, row));
  return `${lines.join("\n")}\n`;

  function renderRow(cells: readonly string[], places: readonly Place[], row: number): string {
    const parts: string[] = [];
    for (let place = 0; place < places.length; place += 1) {
      const { index, start, end, paint } = places[place] as Place;
      const cell = (cells[index] ?? "").padStart(start).padEnd(end);
      parts.push(paint === undefined ? cell : paint(cell, row));
    }
    const final = cells[last] ?? "";
    if (final.length > room) parts[parts.length - 1] = `${final.slice(0, room - 1)}…`;
    const line = parts.join(GAP);
    return final === "" ? line.trimEnd() : line;
  }
}

/** Where a cell goes: padded to `start` columns in front, or to `end` columns behind. */
interface Place {
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly paint: Column["paint"];
}

function chooseColumns(columns: readonly Column[], widths: readonly number[], width: number): readonly number[] {
  let shown = columns.map((_, index) => index);
  const total = (): number => shown.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP.length, -GAP.length);
  while (total() > width) {
    const rank = (index: number): number => columns[index]?.expendable ?? 0;
    const worst = shown.reduce((found, index) => (rank(index) > rank(found) ? index : found), shown[0] ?? 0);
    if (rank(worst) === 0) break;
    shown = shown.filter((index) => index !== worst);
  }
  return shown;
}
