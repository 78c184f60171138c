import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../src/sha256.ts";

const byNode = (text: string): string => createHash("sha256").update(text).digest("hex");

test("agrees with Node for every length around the blocks, and for what is not ASCII", () => {
  for (let length = 0; length <= 260; length += 1) {
    for (const unit of ["a", "ü", "\u{1f512}", "\ud800"]) {
      const text = unit.repeat(length);
      expect(sha256(text), `${length} times ${unit}`).toBe(byNode(text));
    }
  }
});

test("agrees with Node for any text", () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 });
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      expect(sha256(text)).toBe(byNode(text));
    }),
  );
});

test("agrees with Node for a long text", () => {
  const text = "0123456789".repeat(20_000);
  expect(sha256(text)).toBe(byNode(text));
});
