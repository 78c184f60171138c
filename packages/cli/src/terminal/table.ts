/** Lays out a table in columns, giving up the least important ones where the terminal is too narrow. Pure. */

export interface Column {
  readonly title: string;
  /** Columns with the highest number are left out first when the table is too wide; 0 is never left out. */
  readonly expendable: number;
  readonly align?: "right";
}

/** A cell's text as it counts for the width, and how to decorate it once it is padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: ((text: string) => string) | undefined;
}

const GAP = "  ";

/**
 * Returns the table, a line for the titles and one for each row, without trailing blanks. Text must be free of control
 * characters; a last column that still does not fit is cut with an ellipsis.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paintTitle: (text: string) => string,
): string {
  const widths = columns.map(({ title }) => title.length);
  for (const row of rows) {
    for (let index = 0; index < row.length; index += 1) {
      const length = row[index]?.text.length ?? 0;
      if (length > (widths[index] ?? 0)) widths[index] = length;
    }
  }
  const shown = chooseColumns(columns, widths, width);
  const titles = columns.map(({ title }) => ({ text: title, paint: paintTitle }));
  let text = "";
  for (const row of [titles, ...rows]) text += renderRow(columns, row, widths, shown, width);
  return text;
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

function renderRow(
  columns: readonly Column[],
  row: readonly Cell[],
  widths: readonly number[],
  shown: readonly number[],
  width: number,
): string {
  let line = "";
  let used = 0;
  const last = shown.at(-1);
  for (const index of shown) {
    const cell = row[index];
    let text = cell?.text ?? "";
    const room = widths[index] ?? 0;
    const pad = " ".repeat(Math.max(0, room - text.length));
    if (index === last && used + text.length > width) text = `${text.slice(0, Math.max(0, width - used - 1))}…`;
    const painted = cell?.paint === undefined ? text : cell.paint(text);
    if (columns[index]?.align === "right") line += pad + painted;
    else line += index === last ? painted : painted + pad;
    if (index !== last) line += GAP;
    used += room + GAP.length;
  }
  return `${line.trimEnd()}\n`;
}
