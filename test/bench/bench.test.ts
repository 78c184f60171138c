/** Checks that the bench runs, and that its arithmetic is right. No test here looks at a time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { median, pairedRatio, quantile, scatter } from "./measure/statistics.ts";
import { formatTable, rowsOf } from "./measure/table.ts";
import { FLOOR, parseTimes } from "./measure/turns.ts";
import type { Sample } from "./measure/turns.ts";
import { overview, writeFigures } from "./overview.ts";

const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the arithmetic", () => {
  test("takes the nearest of the values, whatever their order", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 0.9)).toBe(10);
    expect(median([])).toBeNaN();
  });

  test("pairs each run with the floor of its own round", () => {
    // Twice as slow in every round, on a machine that is ten times slower in the middle.
    expect(pairedRatio([2, 20, 2], [1, 10, 1])).toBe(2);
    expect(pairedRatio([2, 4], [1])).toBe(2);
  });

  test("shows the spread of repeated runs", () => {
    expect(scatter([4, 4, 4])).toBe(0);
    expect(scatter([90, 100, 110])).toBeCloseTo(0.2);
  });

  test("parses what bash reports about a child", () => {
    expect(parseTimes("a warning of bash\n0.021 0.004\n")).toBeCloseTo(25);
  });
});

function took(ms: number): Sample {
  return { wallMs: 3 * ms, computingMs: ms };
}

test("writes a ratio of computing times, with target and scatter, and leaves unmeasured cells empty", () => {
  const contestants = [FLOOR, "twice"].map((title) => ({ title, argv: () => ["true"] as const, env: {}, target: 1.1 }));
  const times = new Map([
    [FLOOR, [took(10), took(20)]],
    ["twice", [took(20), took(40)]],
  ]);
  const table = formatTable([...rowsOf(contestants, times, FLOOR), { what: "alone", figure: "1 MiB" }]);
  expect(table.split("\n").slice(3)).toEqual([
    "| twice | 120 ms | 2.00 | 2.00 | `node -e 0` | <= 1.10 | 50 % |",
    "| alone | 1 MiB |  |  |  |  |  |",
  ]);
});

test("measures the commands and replaces the table in a page", async () => {
  const figures = await overview({ quick: true, only: ["commands"], rounds: 1 });
  expect(figures).toMatch(
    /^\| list of 100 \| \d+ ms \| \d+\.\d\d \| \d+\.\d\d \| `node -e 0` \| <= 1\.12 \| \d+ % \|$/m,
  );
  const page = path.join(folder, "page.md");
  writeFileSync(
    page,
    "# before\n<!-- figures: written by pnpm bench --write -->\nold\n<!-- end of figures -->\nafter\n",
  );
  writeFigures(page, figures);
  const text = readFileSync(page, "utf8");
  expect(text).toContain(figures);
  expect(text).not.toContain("old");
  expect(text).toMatch(/^# before\n[^]*<!-- end of figures -->\nafter\n$/);
});
