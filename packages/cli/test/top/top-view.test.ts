/** The lines of the live view fit every terminal, and the selected row is always visible. */
import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import stringWidth from "string-width";
import { beforeAll, expect, test } from "vitest";
import { cellWidth, cutToWidth, fitToWidth, loadWidths } from "../../src/terminal/cell-width.ts";
import { viewOf } from "../../src/terminal/view.ts";
import type { TopState } from "../../src/top/top-state.ts";
import { INITIAL_STATE, withRows } from "../../src/top/top-state.ts";
import { renderTop } from "../../src/top/top-view.ts";
import { topRow } from "./top-row.ts";

const coloured = viewOf({ isTerminal: true, columns: 80 }, { TERM: "xterm" }, false).paint;
const plain = viewOf({ isTerminal: true, columns: 80 }, { NO_COLOR: "1" }, false).paint;
const now = Date.parse("2026-01-01T00:01:00Z");

function draw(state: TopState, columns: number, rows: number, paint = plain): readonly string[] {
  return renderTop({ state, now, home: "/h/.lockkeeper", columns, rows, paint });
}

beforeAll(async () => {
  // The width table is loaded only when a text needs it.
  expect(await loadWidths()).toBe(false);
  expect(cellWidth("漢")).toBe(1);
  expect(await loadWidths()).toBe(true);
  expect(cellWidth("漢")).toBe(2);
});

test("our own marks take one column each, so they need no width table", () => {
  for (const mark of "…─●◐◌◑▲■✗○") expect(cellWidth(mark)).toBe(stringWidth(mark));
});

/** What programs print, including what must not reach a terminal. */
const TEXT = fc.string({
  unit: fc.constantFrom("a", "漢", "é", "e\u0301", "\u001B[31m", "\n", "👩‍👩‍👧", " ", "\u202E"),
});

test("no line is wider than the terminal, there are no more lines than fit, and no byte of a program controls it", () => {
  const facts = fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
    lastLine: TEXT,
    reason: fc.option(TEXT),
  });
  const scene = [fc.array(facts, { maxLength: 30 }), fc.array(TEXT), fc.boolean(), fc.nat(200), fc.nat(60)] as const;
  fc.assert(
    fc.property(...scene, (given, log, showLog, columns, height) => {
      const rows = [...new Map(given.map((each) => [each.name, topRow(each.name, each)])).values()];
      const lines = draw({ ...withRows(INITIAL_STATE, rows), showLog, log }, columns, height, coloured);
      expect(lines.length).toBeLessThanOrEqual(height);
      for (const line of lines) {
        const bare = stripVTControlCharacters(line);
        expect(cellWidth(bare)).toBeLessThanOrEqual(columns);
        // oxlint-disable-next-line no-control-regex
        expect(bare).not.toMatch(/[\u0000-\u001F\u202E]/);
      }
    }),
  );
});

test("40 columns show name and state; 160 show everything", () => {
  const state = withRows(INITIAL_STATE, [topRow("prod", { isProtected: true, state: "failed", reason: "exit 3" })]);
  expect(draw(state, 40, 10).join("\n")).toMatch(/prod!.*✗ failed/);
  const wide = draw(state, 160, 10).join("\n");
  for (const title of ["NAME", "STATE", "PORTS", "HEALTH", "UPTIME", "RESTARTS", "MEMORY", "CPU", "exit 3"]) {
    expect(wide).toContain(title);
  }
});

test("the selected row of a hundred is visible", () => {
  const rows = Array.from({ length: 100 }, (_, index) => topRow(`p${String(index).padStart(2, "0")}`));
  for (const selected of ["p00", "p50", "p99"]) {
    const state = { ...withRows(INITIAL_STATE, rows), selected };
    expect(draw(state, 60, 12).join("\n")).toContain(`>${selected}`);
  }
});

test("an empty list says how to start", () => {
  expect(draw(withRows(INITIAL_STATE, []), 80, 10).join("\n")).toContain("lockkeeper up dev");
});

test("text is cut by its width on a terminal, not by its length", () => {
  expect(cutToWidth("漢字漢字", 5)).toBe("漢字…");
  expect(fitToWidth("漢", 4)).toBe("漢  ");
  expect(fitToWidth("ab", 4, "right")).toBe("  ab");
  expect(cutToWidth("abc", 0)).toBe("");
});
