import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { randomBytes } from "../../src/storage/random-bytes.ts";

test("each time other bytes, as many as asked for", () => {
  const made = Array.from({ length: 200 }, () => randomBytes(32).toString("hex"));
  expect(new Set(made).size).toBe(200);
  expect(made.every((text) => text.length === 64)).toBe(true);
});

test("what stands in the place of the kernel's device gives none of them", () => {
  const folder = mkdtempSync(join(tmpdir(), "random-"));
  try {
    const planted = join(folder, "planted");
    writeFileSync(planted, "x".repeat(64));
    const link = join(folder, "link");
    symlinkSync("/dev/zero", link);
    for (const device of [planted, link, "/dev/zero", "/dev/null", join(folder, "missing"), folder]) {
      const bytes = randomBytes(32, device);
      expect(bytes).toHaveLength(32);
      expect(new Set(bytes).size, device).toBeGreaterThan(4);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
