import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { RunRecord } from "../../src/keeper/run-record.ts";
import { formatRunRecord, parseRunRecord } from "../../src/keeper/run-record.ts";

const IDENTITY = { pid: 2, startTicks: 3, bootId: "b", pidNamespace: "4" };
const RECORD: RunRecord = {
  v: 1,
  profile: "dev",
  nonce: "0".repeat(32),
  state: "running",
  reason: null,
  code: null,
  since: "2026-01-02T03:04:05.678Z",
  keeper: IDENTITY,
  gateway: { ...IDENTITY, startTicks: null },
  host: "127.0.0.1",
  port: 18_789,
  ports: { main: 18_789 },
  startedAt: null,
  health: "ok",
  restarts: 0,
  lastExit: { code: null, signal: "SIGKILL", at: "2026-01-02T03:04:05.678Z" },
};

describe("parseRunRecord", () => {
  test("returns what was written", () => {
    expect(parseRunRecord(formatRunRecord(RECORD))).toEqual(RECORD);
  });

  test("refuses a torn record", () => {
    const text = JSON.stringify(RECORD);
    for (let length = 0; length < text.length; length += 1)
      expect(parseRunRecord(text.slice(0, length))).toBeUndefined();
  });

  test("refuses a record with a field of another shape", () => {
    const other = fc.oneof(fc.constant(-1), fc.constant(1.5), fc.constant({}), fc.constant([]), fc.constant(undefined));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(RECORD)), other, (field, value) => {
        fc.pre(!(field === "ports" && typeof value === "object" && !Array.isArray(value)));
        expect(parseRunRecord(JSON.stringify({ ...RECORD, [field]: value }))).toBeUndefined();
      }),
    );
  });

  test("reads any bytes without harm", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRunRecord(text)));
    const hostile = JSON.stringify({ ...RECORD, ports: {} }).replace('"ports":{}', '"ports":{"__proto__":1}');
    expect(Object.keys(parseRunRecord(hostile)?.ports ?? {})).toEqual(["__proto__"]);
  });
});
