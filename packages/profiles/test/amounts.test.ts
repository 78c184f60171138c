import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import {
  formatDurationMs,
  formatSizeBytes,
  LONGEST_DURATION_MS,
  parseDurationMs,
  parseSizeBytes,
} from "../src/amounts.ts";

test.each([
  ["30", 30_000],
  ["30s", 30_000],
  ["500ms", 500],
  ["2m", 120_000],
  ["1.5s", 1_500],
  ["1h", 3_600_000],
  ["5 s", undefined],
  ["-1s", undefined],
  ["", undefined],
])("%j is %j ms", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

test.each([
  ["2G", 2 * 1024 ** 3],
  ["2GiB", 2 * 1024 ** 3],
  ["512m", 512 * 1024 ** 2],
  ["1.5K", 1_536],
  ["512", undefined],
  ["2 G", undefined],
  ["G", undefined],
])("%j is %j bytes", (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

test("a formatted amount is read back", () => {
  assert(
    property(integer({ min: 1, max: LONGEST_DURATION_MS }), (amount) => {
      expect(parseDurationMs(formatDurationMs(amount))).toBe(amount);
      expect(parseSizeBytes(formatSizeBytes(amount * 1024 ** 2))).toBe(amount * 1024 ** 2);
    }),
  );
});
