import { expect, test } from "vitest";
import { renderBar } from "../../src/terminal/bar.ts";
import { formatSize } from "../../src/terminal/sizes.ts";

test.each<[number, string]>([
  [0, `[${".".repeat(30)}]   0%`],
  [0.5, `[${"#".repeat(15)}${".".repeat(15)}]  50%`],
  [0.999, `[${"#".repeat(29)}.]  99%`],
  [1, `[${"#".repeat(30)}] 100%`],
  [7, `[${"#".repeat(30)}] 100%`],
])("%d on a terminal", (done, bar) => expect(renderBar(done, true)).toBe(bar));

test("without a terminal a thousand steps give eleven lines", () => {
  const texts = new Set(Array.from({ length: 1_001 }, (_, step) => renderBar(step / 1_000, false)));
  expect([...texts]).toEqual(["0%", "10%", "20%", "30%", "40%", "50%", "60%", "70%", "80%", "90%", "100%"]);
});

test.each<[number, string]>([
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_536, "1.5 KiB"],
  [12 * 1_024 * 1_024, "12 MiB"],
  [5e15, "4547 TiB"],
])("%d bytes", (sizeBytes, text) => expect(formatSize(sizeBytes)).toBe(text));
