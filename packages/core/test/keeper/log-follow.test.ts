/** A rotation at the worst moment: after a reader has read the size of a file, and before it opens the file. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { followLog } from "../../src/keeper/log-follow.ts";

const disturb = vi.hoisted((): { before: ((path: string) => void) | undefined } => ({ before: undefined }));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const openSync: typeof real.openSync = (path, ...rest) => {
    disturb.before?.(String(path));
    return real.openSync(path, ...rest);
  };
  return { ...real, openSync };
});

let path: string;

beforeEach(() => {
  path = join(fs.mkdtempSync(join(tmpdir(), "lk-race-")), "gateway.log");
});

afterEach(() => fs.rmSync(join(path, ".."), { recursive: true, force: true, maxRetries: 5 }));

test("neither repeats nor loses a line", async () => {
  fs.writeFileSync(path, "a1\na2\na3\n");
  fs.writeFileSync(`${path}.index`, "lockkeeper-log-index 1 0\n");
  let opened = 0;
  disturb.before = (file) => {
    opened += file === path ? 1 : 0;
    if (file !== path || opened !== 1) return;
    fs.writeFileSync(`${path}.1`, fs.readFileSync(path));
    fs.writeFileSync(`${path}.1.index`, "lockkeeper-log-index 1 0\n");
    fs.writeFileSync(path, "b1\nb2\nb3\n");
    fs.writeFileSync(`${path}.index`, "lockkeeper-log-index 1 9\n");
  };
  const over = new AbortController();
  const seen: string[] = [];
  for await (const line of followLog(path, { from: 0, signal: over.signal })) {
    seen.push(line);
    if (seen.length === 6) over.abort();
  }
  expect(seen).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]);
  expect(opened).toBeGreaterThan(1);
});
