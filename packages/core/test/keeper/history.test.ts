import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { HistoryEvent } from "../../src/keeper/history.ts";
import { appendHistory, formatHistoryEvent, parseHistoryEvent, readHistory } from "../../src/keeper/history.ts";

const EVENT: HistoryEvent = {
  at: "2026-01-02T03:04:05.678Z",
  state: "running",
  reason: null,
  code: null,
  pid: 12,
  keeperPid: 11,
  restarts: 0,
  exit: null,
};

let home: string;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-history-"));
  path = join(home, "events.jsonl");
});

afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

describe("the history", () => {
  test("has one short line per event, whatever the reason says, and returns it", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 3_000 }),
          fc.constant("\u001b[31m\n\u0085\u202e".repeat(2_000)),
        ),
        (reason) => {
          const line = formatHistoryEvent({ ...EVENT, reason });
          expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(8 * 1024);
          expect(parseHistoryEvent(line)).toEqual({ ...EVENT, reason: reason.slice(0, 1_000) });
        },
      ),
    );
  });

  test("is limited: it never grows past two files of about 1 MiB, and keeps the latest events", () => {
    const before = process.umask(0o777);
    for (let restarts = 0; restarts < 3_000; restarts += 1) {
      appendHistory(path, formatHistoryEvent({ ...EVENT, restarts, reason: "x".repeat(1_000) }));
    }
    process.umask(before);
    expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThan(2.1 * 1024 * 1024);
    expect([path, `${path}.1`].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    const events = readHistory(path);
    expect(events.at(-1)?.restarts).toBe(2_999);
    expect(events.map(({ restarts }) => restarts)).toEqual(events.map((_, index) => 3_000 - events.length + index));
  });

  test("skips a torn line", () => {
    appendHistory(path, formatHistoryEvent(EVENT));
    appendFileSync(path, '{"at":"2026-01-02T03:04');
    appendHistory(path, formatHistoryEvent({ ...EVENT, state: "stopped" }));
    expect(readHistory(path).map(({ state }) => state)).toEqual(["running", "stopped"]);
    expect(readFileSync(path, "utf8").split("\n")).toHaveLength(4);
  });

  test.each([
    ["a symbolic link", (target: string): void => symlinkSync(target, path)],
    ["a hard link", (target: string): void => linkSync(target, path)],
    ["a FIFO", (): void => void execFileSync("mkfifo", [path])],
    ["a directory", (): void => mkdirSync(path)],
  ])("is refused where %s is in its place, which stays untouched", (_, plant) => {
    const target = join(home, "target");
    writeFileSync(target, "precious");
    plant(target);
    const refusal = expect.objectContaining({ code: "UNSAFE_PATH" });
    expect(() => appendHistory(path, formatHistoryEvent(EVENT))).toThrow(refusal);
    expect(() => readHistory(path)).toThrow(refusal);
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  test("is empty where there is none, and reads any bytes without harm", () => {
    expect(readHistory(path)).toEqual([]);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const event = parseHistoryEvent(line);
        if (event !== undefined) expect(typeof event.at).toBe("string");
      }),
    );
  });
});
