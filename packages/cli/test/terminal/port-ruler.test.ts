import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderPortRuler } from "../../src/terminal/port-ruler.ts";
import type { Ruler, RulerBlock } from "../../src/terminal/port-ruler.ts";
import { viewOf } from "../../src/terminal/view.ts";

const plain = viewOf({ isTerminal: true, columns: 80 }, { NO_COLOR: "1" }, false);
const coloured = viewOf({ isTerminal: true, columns: 80 }, {}, false);

function block(name: string, first: number, span: number, more: Partial<RulerBlock> = {}): RulerBlock {
  return { name, first, last: first + span - 1, derived: [], own: [], taken: [], ...more };
}

function ruler(more: Partial<Ruler> = {}): Ruler {
  return {
    range: { first: 18_789, last: 32_767 },
    pool: { first: 18_789, last: 32_767 },
    blocks: [],
    claimed: [],
    others: [],
    ephemeral: { first: 32_768, last: 60_999 },
    ...more,
  };
}

const busy = ruler({
  blocks: [
    block("dev", 18_789, 10, { own: [18_789] }),
    block("prod", 18_799, 10, { taken: [18_799] }),
    block("claw", 18_809, 120, { derived: [{ first: 18_820, last: 18_919 }] }),
  ],
  claimed: [{ first: 19_001, last: 19_003 }],
  others: [25_000],
});

/** The text without its colours. */
// oxlint-disable-next-line no-control-regex
const bare = (text: string): string => text.replaceAll(/\u001B\[\d+m/g, "");

describe("the port ruler", () => {
  test("draws what is occupied and names what is free", () => {
    expect(renderPortRuler(busy, plain)).toBe(`\
         dev       prod      claw
  18789  O---------!---------|----------=======================================
  18859  =============================================================---------
  18929  . free to 19000 (72 ports)
  19001  ccc
  19004  . free to 24999 (5996 ports)
  25000  x
  25001  . free to 32767 (7767 ports)
  one mark is a port:  ! taken by another process  O listening
  x another process listens  = derived  | first port  - block
  c claimed by an installation
`);
  });

  test("nothing occupied: a line, no legend", () => {
    expect(renderPortRuler(ruler(), plain)).toBe("  18789  . free to 32767 (13979 ports)\n");
  });

  test("no block is offered in the part of the pool that the ephemeral range covers", () => {
    const wide = { first: 30_000, last: 62_000 };
    expect(renderPortRuler(ruler({ range: wide, pool: wide }), plain)).toBe(
      "  30000  . free to 32767 (2768 ports)\n  32768  ~ ephemeral to 60999 (28232 ports)\n  61000  . free to 62000 (1001 ports)\n",
    );
  });

  test("nothing outside of the pool is called free", () => {
    const pool = { first: 20_000, last: 20_999 };
    const range = { first: 3_000, last: 40_009 };
    const blocks = [block("old", 3_000, 10), block("late", 40_000, 10)];
    expect(renderPortRuler(ruler({ range, pool, blocks }), plain)).toBe(`\
         old
   3000  |---------
   3010  . not in the pool to 19999 (16990 ports)
  20000  . free to 20999 (1000 ports)
  21000  . not in the pool to 39999 (19000 ports)
         late
  40000  |---------
  one mark is a port:  | first port  - block
`);
  });

  test("one block alone", () => {
    const range = { first: 20_000, last: 20_009 };
    const text = renderPortRuler(ruler({ range, blocks: [block("dev", 20_000, 10)] }), plain);
    expect(text).toBe("         dev\n  20000  |---------\n  one mark is a port:  | first port  - block\n");
  });

  test("colour changes nothing but the colours", () => {
    const text = renderPortRuler(busy, coloured);
    expect(text).toContain("\u001B[31m!\u001B[39m");
    expect(bare(text)).toBe(renderPortRuler(busy, plain));
  });

  test("a thousand profiles: no more lines than a screen has, and the scale is printed", () => {
    const blocks = Array.from({ length: 1_000 }, (_, index) => block(`p${index}`, 18_789 + index * 10, 10));
    const text = renderPortRuler(ruler({ blocks }), plain);
    expect(text.split("\n").length).toBeLessThan(25);
    expect(text).toContain("one mark is 20 ports:");
    expect(text).toContain("# several blocks");
  });

  test("two blocks on one port are both visible", () => {
    const blocks = [block("a", 19_000, 10), block("b", 19_005, 10)];
    expect(renderPortRuler(ruler({ blocks }), plain)).toContain("  19000  |----#####-----\n");
  });

  test("no line is wider than the terminal and no port is missing, whatever the blocks are", () => {
    const port = fc.integer({ min: 1_024, max: 65_000 });
    const blocks = fc.array(
      fc.tuple(port, fc.integer({ min: 1, max: 200 })).map(([first, span]) => block("some-name", first, span)),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        blocks,
        fc.array(port, { maxLength: 40 }),
        fc.integer({ min: 50, max: 200 }),
        fc.tuple(port, port).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
        (made, others, columns, pool) => {
          const range = { first: 1_024, last: 65_535 };
          const text = renderPortRuler(ruler({ range, pool, blocks: made, others }), { ...plain, columns });
          const lines = text.trimEnd().split("\n");
          expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
          const [, scale] = /one mark is (\d+) ports/.exec(text) ?? [];
          let next = range.first;
          for (const line of lines) {
            const [, first, rest = ""] = /^ {2}( *\d+) {2}(.*)$/.exec(line) ?? [];
            if (first === undefined) continue;
            // The last mark of a group may stand for fewer ports than the others.
            expect(Number(first)).toBeLessThanOrEqual(next);
            expect(Number(first)).toBeGreaterThan(next - Number(scale ?? 1));
            const [, end] = /^[.~] [\w ]+ to (\d+)/.exec(rest) ?? [];
            next = end === undefined ? Number(first) + rest.length * Number(scale ?? 1) : Number(end) + 1;
          }
          expect(next).toBeGreaterThan(range.last);
        },
      ),
      { numRuns: 200 },
    );
  });
});
