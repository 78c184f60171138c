/**
 * Draws ports as a ruler: one mark stands for one port or, where there is much to show, for several. Used ports are drawn,
 * free ranges take one line. Pure; never more lines than a screen, and linear in the number of profiles.
 */
import type { View } from "./view.ts";

export interface Ports {
  readonly first: number;
  readonly last: number;
}

export interface RulerBlock extends Ports {
  readonly name: string;
  /** Named ports and derived ranges besides the gateway's own port; they may lie outside of the block. */
  readonly derived: readonly Ports[];
  readonly own: readonly number[];
  /** Ports with a conflicting listener. */
  readonly taken: readonly number[];
}

export interface Ruler {
  /** The range to show completely. */
  readonly range: Ports;
  /** The range for new blocks; free ports outside of it are no room for one. */
  readonly pool: Ports;
  readonly blocks: readonly RulerBlock[];
  /** What installations of other programs claim. */
  readonly claimed: readonly Ports[];
  /** Listeners without a conflict. */
  readonly others: readonly number[];
  readonly ephemeral: Ports;
}

/** Weakest first: when several fall on one mark, the last one is shown. */
const MARKS = {
  ".": "free",
  "~": "ephemeral",
  c: "claimed by an installation",
  "-": "block",
  "|": "first port",
  "=": "derived",
  x: "another process listens",
  "#": "several blocks",
  O: "listening",
  "!": "taken by another process",
} as const;

type Mark = keyof typeof MARKS;

const ORDER = Object.keys(MARKS) as readonly Mark[];
/** A mark is drawn over those of a lower rank. */
const rankOf = (mark: Mark): number => ORDER.indexOf(mark);
const BLOCK = rankOf("-");
const FIRST = rankOf("|");
const SEVERAL = rankOf("#");

/** The most rows of marks; above that, one mark stands for more ports. */
const MOST_ROWS = 8;
const SCALES: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
/** Two blanks, a port, two blanks. */
const MARGIN = 9;
/** Wider rows are hard to count in. */
const WIDEST = 120;

/** Returns the ruler and, below it, the meanings of its marks. */
export function renderPortRuler(given: Ruler, { paint, columns }: Pick<View, "paint" | "columns">): string {
  const ruler = { ...given, blocks: given.blocks.toSorted((a, b) => a.first - b.first) };
  const width = Number.isFinite(columns) ? Math.min(columns, WIDEST) : 80;
  // Whole tens, so that the ports at the left are easy to read.
  const perRow = Math.max(10, Math.floor((width - MARGIN) / 10) * 10);
  const occupied = occupiedPorts(ruler);
  const { scale, groups } = layOut(occupied, perRow);
  const lines: string[] = [];
  const used = new Set<Mark>();
  let next = ruler.range.first;
  for (const group of groups) {
    lines.push(...tellEmpty({ first: next, last: group.first - 1 }, ruler, paint));
    const marks = markGroup(group, scale, ruler);
    for (const mark of marks) used.add(mark);
    for (let start = 0; start < marks.length; start += perRow) {
      const row = { first: group.first + start * scale, last: group.first + (start + perRow) * scale - 1 };
      const names = nameRow(row, scale, startingIn(row, ruler.blocks));
      if (names !== "") lines.push(`${" ".repeat(MARGIN)}${paint.bold(names)}`);
      lines.push(`  ${label(row.first)}  ${paintMarks(marks.slice(start, start + perRow), paint)}`);
    }
    next = group.last + 1;
  }
  lines.push(...tellEmpty({ first: next, last: ruler.range.last }, ruler, paint));
  return `${[...lines, ...legend(used, scale, width)].join("\n")}\n`;
}

function occupiedPorts({ range, blocks, claimed, others }: Ruler): readonly Ports[] {
  const found: Ports[] = [];
  const add = ({ first, last }: Ports): void => {
    if (first > range.last || last < range.first) return;
    found.push({ first: Math.max(first, range.first), last: Math.min(last, range.last) });
  };
  // Most blocks follow each other, and are one range to draw.
  let [first, last] = [0, 0];
  for (const block of blocks) {
    if (block.first > last + 1) {
      if (last > 0) add({ first, last });
      ({ first, last } = block);
    } else if (block.last > last) {
      ({ last } = block);
    }
    if (block.derived.length + block.own.length + block.taken.length === 0) continue;
    for (const each of block.derived) add(each);
    for (const port of block.own) add(one(port));
    for (const port of block.taken) add(one(port));
  }
  if (last > 0) add({ first, last });
  for (const each of claimed) add(each);
  for (const port of others) add(one(port));
  return found.sort((a, b) => a.first - b.first);
}

function one(port: number): Ports {
  return { first: port, last: port };
}

/** Ranges within a row's length of each other are drawn together. */
function layOut(
  occupied: readonly Ports[],
  perRow: number,
): { readonly scale: number; readonly groups: readonly Ports[] } {
  let groups = occupied;
  for (const scale of SCALES) {
    // What is drawn together stays so in a larger scale.
    groups = merge(groups, perRow * scale);
    const rows = groups.reduce((sum, { first, last }) => sum + Math.ceil((last - first + 1) / scale / perRow), 0);
    if (rows <= MOST_ROWS || scale === SCALES.at(-1)) return { scale, groups };
  }
  return { scale: 1, groups: [] };
}

function merge(occupied: readonly Ports[], within: number): readonly Ports[] {
  const groups: { first: number; last: number }[] = [];
  for (const { first, last } of occupied) {
    const open = groups.at(-1);
    if (open !== undefined && first - open.last <= within) open.last = Math.max(open.last, last);
    else groups.push({ first, last });
  }
  return groups;
}

function markGroup(group: Ports, scale: number, { blocks, claimed, others, ephemeral }: Ruler): readonly Mark[] {
  const size = Math.ceil((group.last - group.first + 1) / scale);
  const ranks = new Uint8Array(size);
  /** For each cell the block that is drawn there, counted from 1. */
  const owners = new Uint32Array(size);
  const put = ({ first, last }: Ports, mark: Mark): void => {
    if (last < group.first || first > group.last) return;
    const rank = rankOf(mark);
    const to = Math.min(size - 1, Math.floor((last - group.first) / scale));
    for (let cell = Math.max(0, Math.floor((first - group.first) / scale)); cell <= to; cell += 1) {
      if (rank > (ranks[cell] ?? rank)) ranks[cell] = rank;
    }
  };
  put(ephemeral, "~");
  for (const each of claimed) put(each, "c");
  for (const port of others) put(one(port), "x");
  // Blocks are drawn here, without a call for each of a thousand: see the growth of `ports` in docs/performance.md.
  for (let index = 0; index < blocks.length; index += 1) {
    const { first, last, derived, own, taken } = blocks[index] as RulerBlock;
    const begin = Math.floor((first - group.first) / scale);
    const end = Math.floor((last - group.first) / scale);
    for (let cell = begin < 0 ? 0 : begin; cell <= end && cell < size; cell += 1) {
      const owner = owners[cell] ?? 0;
      const rank = owner !== 0 && owner !== index + 1 ? SEVERAL : cell === begin ? FIRST : BLOCK;
      if (rank > (ranks[cell] ?? rank)) ranks[cell] = rank;
      owners[cell] = index + 1;
    }
    if (derived.length + own.length + taken.length === 0) continue;
    for (const each of derived) put(each, "=");
    for (const port of own) put(one(port), "O");
    for (const port of taken) put(one(port), "!");
  }
  return Array.from(ranks, (rank) => ORDER[rank] ?? ".");
}

/** Returns those of `blocks` that begin in the row. */
function startingIn({ first, last }: Ports, blocks: readonly RulerBlock[]): readonly RulerBlock[] {
  const indexFrom = (port: number): number => {
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((blocks[middle]?.first ?? 0) < port) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return blocks.slice(indexFrom(first), indexFrom(last + 1));
}

/** Returns each block's name above its first mark, as far as there is room before the next one. */
function nameRow(row: Ports, scale: number, starting: readonly RulerBlock[]): string {
  let line = "";
  for (let index = 0; index < starting.length; index += 1) {
    const { first, name } = starting[index] as RulerBlock;
    const next = starting[index + 1];
    const cell = Math.floor((first - row.first) / scale);
    const end = Math.floor(
      next === undefined ? (row.last - row.first + 1) / scale + 1 : (next.first - row.first) / scale,
    );
    const room = end - cell - 1;
    if (room < 2 || cell < line.length) continue;
    line = line.padEnd(cell) + (name.length <= room ? name : `${name.slice(0, room - 1)}…`);
  }
  return line;
}

function paintMarks(marks: readonly Mark[], paint: View["paint"]): string {
  const painters: Readonly<Record<Mark, (text: string) => string>> = {
    ".": paint.dim,
    "~": paint.dim,
    c: paint.yellow,
    "-": paint.cyan,
    "|": paint.cyan,
    "=": paint.cyan,
    x: paint.yellow,
    "#": paint.yellow,
    O: paint.green,
    "!": paint.red,
  };
  let painted = "";
  for (let from = 0, to = 0; from < marks.length; from = to) {
    const mark = marks[from] ?? ".";
    while (to < marks.length && marks[to] === mark) to += 1;
    painted += painters[mark](mark.repeat(to - from));
  }
  return painted;
}

function tellEmpty(
  { first, last }: Ports,
  { pool, ephemeral }: Pick<Ruler, "pool" | "ephemeral">,
  paint: View["paint"],
): readonly string[] {
  const inPool = { first: Math.max(first, pool.first), last: Math.min(last, pool.last) };
  const parts: readonly (Ports & { readonly text: string })[] = [
    { first, last: Math.min(last, pool.first - 1), text: ". not in the pool" },
    { first: inPool.first, last: Math.min(inPool.last, ephemeral.first - 1), text: ". free" },
    {
      first: Math.max(inPool.first, ephemeral.first),
      last: Math.min(inPool.last, ephemeral.last),
      text: "~ ephemeral",
    },
    { first: Math.max(inPool.first, ephemeral.last + 1), last: inPool.last, text: ". free" },
    { first: Math.max(first, pool.last + 1), last, text: ". not in the pool" },
  ];
  return parts
    .filter((part) => part.first <= part.last)
    .map(({ text, ...part }) => {
      const count = part.last - part.first + 1;
      return `  ${label(part.first)}  ${paint.dim(`${text} to ${part.last} (${count} ${count === 1 ? "port" : "ports"})`)}`;
    });
}

function legend(used: ReadonlySet<Mark>, scale: number, width: number): readonly string[] {
  if (used.size === 0) return [];
  const words = ORDER.toReversed()
    .filter((mark) => used.has(mark))
    .map((mark) => `${mark} ${MARKS[mark]}`);
  const lines: string[] = [];
  let line = `one mark is ${scale === 1 ? "a port" : `${scale} ports`}:`;
  for (const word of words) {
    if (line.length + 2 + word.length > width - 2) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : `  ${word}`;
  }
  return [...lines, line].map((each) => `  ${each}`);
}

function label(port: number): string {
  return String(port).padStart(5);
}
