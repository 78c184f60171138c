/** Tests the rewrite of readings of the clock: the result must run, and tell the same time. */
import { createRequire } from "node:module";
import { expect, test } from "vitest";

interface Chunk {
  readonly toString: () => string;
}
const require = createRequire(import.meta.url);
const { readEarly } = require("../../bundle/early-clock.js") as { readEarly: (code: string) => Chunk };

test("the time since the process began is read by the same clock", () => {
  const code = readEarly("return [performance.now(), performance.now()];").toString();
  const read = new Function(code) as () => readonly [number, number];
  const since = performance.now();
  const [from, until] = read();
  const took = performance.now() - since;
  expect(until).toBeGreaterThanOrEqual(from);
  expect(until - from).toBeLessThanOrEqual(took);
});

test("a reading is one value, whatever is done with it", () => {
  const read = new Function(readEarly("return 1 / performance.now();").toString()) as () => number;
  const [before, shown, after] = [performance.now(), 1 / read(), performance.now()];
  // Both clocks began with this process, within the time in which it started.
  expect(shown).toBeGreaterThan(before / 2);
  expect(shown).toBeLessThan(after * 2);
});

test("it is read also where a variable is named `process`", () => {
  const read = new Function("process", readEarly("return performance.now();").toString()) as (own: object) => number;
  expect(read({ pid: 1 })).toBeGreaterThan(0);
});

test.each(["const at = performance.now();", "f(performance.now())", "() => performance.now()"])(
  "`performance` is not left in %s",
  (code) => {
    expect(readEarly(code).toString()).not.toContain("performance");
  },
);

test.each(["this.performance.now();", "const performances = 1;", "// a clock of performance"])("%s stays", (code) => {
  expect(readEarly(code).toString()).toBe(code);
});

test("anything else of `performance` fails the build, and the error quotes the place", () => {
  expect(() => readEarly("performance.mark('a');")).toThrow(
    "performance is asked for more than the time: performance.mark",
  );
});
