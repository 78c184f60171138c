import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration } from "../../src/terminal/durations.ts";
import { plainLine, plainText } from "../../src/terminal/plain-text.ts";
import { openProgress } from "../../src/terminal/progress.ts";
import type { Progress } from "../../src/terminal/progress.ts";
import { renderTable } from "../../src/terminal/table.ts";
import { viewOf } from "../../src/terminal/view.ts";

const plain = (text: string): string => text;

describe("colour", () => {
  const terminal = { isTerminal: true, columns: 100 };
  const pipe = { isTerminal: false, columns: undefined };
  const isColoured = (stream: typeof terminal | typeof pipe, env: NodeJS.ProcessEnv): boolean =>
    viewOf(stream, env, false).paint.red("x") !== "x";

  test.each<[string, typeof terminal | typeof pipe, NodeJS.ProcessEnv, boolean]>([
    ["a terminal", terminal, {}, true],
    ["a pipe", pipe, {}, false],
    ["NO_COLOR", terminal, { NO_COLOR: "1" }, false],
    ["an empty NO_COLOR", terminal, { NO_COLOR: "" }, true],
    ["CI", terminal, { CI: "true" }, false],
    ["TERM=dumb", terminal, { TERM: "dumb" }, false],
    ["FORCE_COLOR on a pipe", pipe, { FORCE_COLOR: "1" }, true],
    ["FORCE_COLOR=0", terminal, { FORCE_COLOR: "0" }, false],
    ["NO_COLOR against FORCE_COLOR", pipe, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("%s", (_title, stream, env, expected) => expect(isColoured(stream, env)).toBe(expected));

  test("a pipe has no width", () => expect(viewOf(pipe, {}, false).columns).toBe(Infinity));
  test("a terminal that was given no size counts as 80 columns wide", () =>
    expect([0, undefined].map((columns) => viewOf({ isTerminal: true, columns }, {}, false).columns)).toEqual([
      80, 80,
    ]));
});

describe("foreign text", () => {
  test("cannot move the cursor, set colours or reorder a line", () => {
    expect(plainText("a\u001B[31mb\u0007\u009B2J\u202Ec\u007F")).toBe("a\\x1b[31mb\\x07\\x9b2J\\u202ec\\x7f");
    expect(plainText("a\nb\tc\r")).toBe("a\nb\tc\\x0d");
    expect(plainLine("a\nb\tc")).toBe("a\\nb\\tc");
  });

  test("contains no control character afterwards, whatever it held before", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(plainLine(text)).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/);
      }),
    );
  });
});

describe("a table", () => {
  const columns = [
    { title: "NAME", expendable: 0 },
    { title: "KIND", expendable: 2 },
    { title: "PID", expendable: 1, align: "right" },
  ] as const;
  const rows = [
    ["dev", "builtin", "7"],
    ["production", "command", "12345"],
  ];

  test("is padded, without trailing blanks", () => {
    expect(renderTable(columns, rows, Infinity, plain)).toBe(
      ["NAME        KIND       PID", "dev         builtin      7", "production  command  12345", ""].join("\n"),
    );
  });

  test("drops the least important column first, and never the first column", () => {
    expect(renderTable(columns, rows, 20, plain)).toBe("NAME          PID\ndev             7\nproduction  12345\n");
    expect(renderTable(columns, rows, 8, plain)).toBe("NAME\ndev\nproduct…\n");
  });

  test("cuts a column before it drops one of lower rank, and gives the spare width back", () => {
    const cut = [{ title: "NAME", expendable: 0, cuts: [{ rank: 1.5, to: 5 }] }, ...columns.slice(1)];
    expect(renderTable(cut, rows, 17, plain)).toBe("NAME          PID\ndev             7\nproduction  12345\n");
    expect(renderTable(cut, rows, 14, plain)).toBe("NAME       PID\ndev          7\nproduc…  12345\n");
    expect(renderTable(cut, rows, 11, plain)).toBe("NAME\ndev\nproduction\n");
  });

  test("shortens a long title first", () => {
    const marked = [{ title: "CURRENT", shortTitle: "", expendable: 0 }, ...columns];
    const lines = renderTable(marked, [["*!", "dev", "builtin", "7"]], 24, plain).split("\n");
    expect(lines).toEqual(["    NAME  KIND     PID", "*!  dev   builtin    7", ""]);
  });

  test("colours do not count for the width", () => {
    const painted = [{ title: "NAME", expendable: 0, paint: (text: string) => `<${text}>` }, ...columns.slice(1)];
    expect(renderTable(painted, [["dev", "x", ""]], Infinity, plain)).toBe("NAME  KIND  PID\n<dev >  x\n");
  });

  test("draws what is the same in every row like what is not, also where rows are of unequal length", () => {
    const four = ["A", "B", "C", "D"].map((title) => ({ title, expendable: 0 }));
    const same = [
      ["x", "1", "same", "z"],
      ["x", "22", "same", "z"],
      ["x", "22", "same", "z"],
    ];
    expect(renderTable(four, same, Infinity, plain)).toBe(
      "A  B   C     D\nx  1   same  z\nx  22  same  z\nx  22  same  z\n",
    );
    expect(renderTable(four, [["x", "1", "same", "z"], ["x", "1"], []], Infinity, plain)).toBe(
      "A  B  C     D\nx  1  same  z\nx  1\n\n",
    );
    const right = [{ title: "N", expendable: 0, align: "right" as const }, ...four.slice(1, 2)];
    expect(
      renderTable(
        right,
        [
          ["1", ""],
          ["100", "b"],
          ["1", ""],
        ],
        Infinity,
        plain,
      ),
    ).toBe("  N  B\n  1\n100  b\n  1\n");
    expect(renderTable(four.slice(0, 1), [["a"], ["a"]], Infinity, plain)).toBe("A\na\na\n");
    expect(renderTable(four, [], Infinity, plain)).toBe("A  B  C  D\n");
  });
});

test.each([
  [0, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_600_000, "1h"],
  [3_900_000, "1h 5m"],
  [100 * 3_600_000, "4d 4h"],
  [-5, "0s"],
])("%i ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

function recordProgress(isTerminal: boolean): { text: () => string; progress: Progress } {
  let text = "";
  const stream = { isTerminal, columns: 80, write: (more: string) => void (text += more) };
  return { text: () => text, progress: openProgress(stream) };
}

describe("progress", () => {
  test("without a terminal each message is one line, printed once", () => {
    const { text, progress } = recordProgress(false);
    for (const news of ["starting", "starting", "ready"]) progress.update("dev", news);
    expect(text()).toBe("dev: starting\ndev: ready\n");
  });

  test("on a terminal a profile keeps its line", () => {
    const { text, progress } = recordProgress(true);
    progress.update("dev", "starting");
    progress.update("prod", "starting");
    progress.update("dev", "ready");
    expect(text().split("\r\u001B[2A").at(-1)).toBe("\u001B[2Kdev: ready\n\u001B[2Kprod: starting\n\u001B[J");
  });

  test("on a terminal a long one takes as many rows as it needs, and gives them back", () => {
    const { text, progress } = recordProgress(true);
    progress.update("dev", `word ${"word ".repeat(20)}`.trim());
    progress.update("dev", "ready");
    const [first = "", second] = text().split("\r\u001B[2A");
    expect(first.split("\n").map((row) => row.length > 80 + "\u001B[2K".length)).toEqual([false, false, false]);
    expect(second).toBe("\u001B[2Kdev: ready\n\u001B[J");
  });
});
