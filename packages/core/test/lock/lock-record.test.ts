import fs, { fstatSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { ownIdentity } from "../../src/host/process-identity.ts";
import { acquireGatewayLock, lockPathFor } from "../../src/lock/gateway-lock.ts";
import { inspectGatewayLock } from "../../src/lock/inspect.ts";
import { sweepGatewayLock } from "../../src/lock/sweep.ts";
import type { LockRecord } from "../../src/lock/lock-record.ts";
import { LOCK_RECORD_BYTES, formatLockRecord, isMutexRecord, parseLockRecord } from "../../src/lock/lock-record.ts";

const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const gateway = fc.record({ pid: count, startTicks: fc.option(count) });

/** Any record that we could write. */
const anyRecord: fc.Arbitrary<LockRecord> = fc.record({
  v: fc.constant(1 as const),
  mechanism: fc.constantFrom("kernel" as const, "socket" as const),
  pid: count,
  startTicks: fc.option(count),
  bootId: fc.option(fc.uuid()),
  pidNamespace: fc.option(fc.string({ maxLength: 12 })),
  networkNamespace: fc.option(fc.string({ maxLength: 12 })),
  nonce: fc.string({ minLength: 32, maxLength: 32, unit: fc.constantFrom(..."0123456789abcdef") }),
  profile: fc.option(fc.string({ maxLength: 32, unit: fc.constantFrom(..."abcxyz-09") })),
  configPath: fc.string({ maxLength: 4_000, unit: "binary" }),
  host: fc.option(fc.ipV6()),
  port: fc.option(fc.integer({ min: 1, max: 65_535 })),
  gateway: fc.option(gateway),
  createdAt: fc.constant(new Date(0).toISOString()),
});

describe("a record", () => {
  test("is read back as it was written, within 1 KiB; only a long path is cut, and marked", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = formatLockRecord(record);
        expect(bytes.byteLength).toBe(LOCK_RECORD_BYTES);
        const { record: read } = parseLockRecord(bytes);
        const path = read?.configPath ?? "";
        const isCut = path !== Buffer.from(record.configPath).toString();
        expect(read).toEqual({ ...record, configPath: path });
        if (isCut) expect(path.startsWith("…")).toBe(true);
      }),
    );
  });

  test("loses no more of a long path than necessary, from the front", () => {
    const path = fc.string({ maxLength: 1_500, size: "max", unit: "binary" });
    fc.assert(
      fc.property(anyRecord, path, (record, configPath) => {
        const whole = { ...record, configPath };
        const isLong = Buffer.byteLength(JSON.stringify(whole)) >= LOCK_RECORD_BYTES;
        const text = Buffer.from(formatLockRecord(whole)).toString();
        expect(text.endsWith("\n")).toBe(true);
        const { record: read } = parseLockRecord(Buffer.from(text));
        if (!isLong) {
          expect(read).toEqual(whole);
          return;
        }
        expect(read?.configPath.startsWith("…")).toBe(true);
        expect(configPath.endsWith(read?.configPath.slice(1) ?? "?")).toBe(true);
        // One character takes at most six bytes, so at most this many more would have fitted.
        expect(Buffer.byteLength(text.trim())).toBeGreaterThan(LOCK_RECORD_BYTES - 12);
      }),
    );
  });

  test("is cut at the first byte too many, and not before", () => {
    const [sample] = fc.sample(anyRecord, 1);
    const frame = Buffer.byteLength(JSON.stringify({ ...sample, configPath: "" }));
    const ofSize = (bytes: number): LockRecord =>
      ({ ...sample, configPath: "/".padEnd(bytes - frame, "x") }) as LockRecord;
    const isCut = (bytes: number): boolean => {
      const record = ofSize(bytes);
      return parseLockRecord(formatLockRecord(record)).record?.configPath !== record.configPath;
    };
    expect([1_022, 1_023, 1_024, 1_025].map(isCut)).toEqual([false, false, true, true]);
  });

  test("that is too long without its path is refused; no other field is cut", () => {
    const [sample] = fc.sample(anyRecord, 1);
    const ofProfile = (length: number): LockRecord =>
      ({ ...sample, configPath: "", profile: "p".repeat(length) }) as LockRecord;
    const frame = Buffer.byteLength(JSON.stringify(ofProfile(0)));
    expect(formatLockRecord(ofProfile(LOCK_RECORD_BYTES - 1 - frame)).byteLength).toBe(LOCK_RECORD_BYTES);
    for (const configPath of ["", "/etc/gateway.json"]) {
      const record = { ...ofProfile(LOCK_RECORD_BYTES - frame), configPath };
      expect(() => formatLockRecord(record)).toThrow(new TypeError("expected a lock record of at most 1 KiB"));
    }
  });

  test("is a mutex's when it names its own lock file, by any path of the home, and neither a gateway nor a port", () => {
    const [sample] = fc.sample(anyRecord, 1);
    const isMutex = (changes: Partial<LockRecord>): boolean => {
      const record = { ...sample, configPath: "/a/adopter.lock", gateway: null, port: null, ...changes } as LockRecord;
      return isMutexRecord(record, "/mnt/b/adopter.lock");
    };
    expect(isMutex({})).toBe(true);
    expect(isMutex({ configPath: "/a/gateway.json" })).toBe(false);
    expect(isMutex({ port: 20_000 })).toBe(false);
    expect(isMutex({ gateway: { pid: 7, startTicks: 1 } })).toBe(false);
  });
});

function parse(text: unknown): ReturnType<typeof parseLockRecord> {
  return parseLockRecord(Buffer.from(typeof text === "string" ? text : JSON.stringify(text)));
}

describe("a wrong value in a record", () => {
  const sound = { v: 1, mechanism: "kernel", pid: 7, nonce: "0".repeat(32) };
  test.each([
    ["", "is empty"],
    [" \n".repeat(512), "is empty"],
    ["not JSON", "holds no record"],
    ["[1]", "holds no record"],
    ["null", "holds no record"],
    ['"text"', "holds no record"],
    ['{"v":2,"pid":"all of them"}', "holds a record of version 2"],
    ['{"pid":1}', "holds a record without a version"],
    ['{"v":"1"}', "holds a record without a version"],
  ])("%j %s", (text, problem) => {
    expect(parse(text)).toEqual({ record: null, problem });
  });

  test("is damage where it is needed to identify the owner", () => {
    expect(parse(sound).record).toMatchObject(sound);
    const wrong = { mechanism: ["quantum", null, 1], pid: [0, -1, 1.5, "7", null, 2 ** 53], nonce: [7, null, ["0"]] };
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of [undefined, ...values]) {
        expect(parse({ ...sound, [field]: value })).toEqual({ record: null, problem: "holds a damaged record" });
      }
    }
  });

  test("counts as missing elsewhere", () => {
    const optional = ["startTicks", "bootId", "pidNamespace", "networkNamespace", "profile", "host", "port", "gateway"];
    const unsaid = {
      ...sound,
      ...Object.fromEntries(optional.map((field) => [field, null])),
      configPath: "",
      createdAt: "",
    };
    expect(parse(sound)).toEqual({ record: unsaid });
    const ofAnyType = fc.constantFrom<unknown>(true, [], {}, { pid: "1" }, { pid: 0 }, [1], -1, 1.5, null);
    fc.assert(
      fc.property(fc.constantFrom(...optional, "configPath", "createdAt"), ofAnyType, (field, value) => {
        expect(parse({ ...sound, [field]: value })).toEqual({ record: unsaid });
      }),
    );
    for (const text of ["bootId", "pidNamespace", "networkNamespace", "profile", "host", "configPath", "createdAt"]) {
      expect(parse({ ...sound, [text]: 5 })).toEqual({ record: unsaid });
    }
    for (const number of ["startTicks", "port", "gateway"]) {
      expect(parse({ ...sound, [number]: "5" })).toEqual({ record: unsaid });
    }
    expect([0, 1, 65_535, 65_536].map((port) => parse({ ...sound, port }).record?.port)).toEqual([
      null,
      1,
      65_535,
      null,
    ]);
    expect(parse({ ...sound, gateway: { pid: 8, startTicks: "x" } }).record?.gateway).toEqual({
      pid: 8,
      startTicks: null,
    });
  });
});

/** JSON that looks like a record, with any value in each field. */
const nearlyRecord = fc.record(
  {
    v: fc.oneof(fc.constant(1), fc.anything()),
    mechanism: fc.oneof(fc.constantFrom("kernel", "socket"), fc.anything()),
    pid: fc.oneof(fc.constantFrom(0, 1, -1, process.pid, process.ppid, 2 ** 31, 1e308), fc.anything()),
    nonce: fc.oneof(fc.constant("0".repeat(32)), fc.anything()),
    startTicks: fc.anything(),
    bootId: fc.oneof(fc.constant(ownIdentity().bootId), fc.anything()),
    pidNamespace: fc.oneof(fc.constant(ownIdentity().pidNamespace), fc.anything()),
    gateway: fc.oneof(gateway, fc.anything()),
    host: fc.oneof(fc.constantFrom("127.0.0.1", "example.invalid"), fc.anything()),
    port: fc.anything(),
    createdAt: fc.anything(),
    ["__proto__"]: fc.anything(),
    constructor: fc.anything(),
  },
  { requiredKeys: [] },
);

const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc.json().map((text) => Buffer.from(text)),
  nearlyRecord.map((value) => Buffer.from(toJson(value))),
  anyRecord.map((record) => formatLockRecord(record)),
  fc
    .tuple(anyRecord, fc.nat(LOCK_RECORD_BYTES))
    .map(([record, length]) => formatLockRecord(record).subarray(0, length)),
  fc
    .constantFrom(
      '{"__proto__":{"v":1,"pid":1},"mechanism":"kernel"}',
      `{"v":1,"mechanism":"kernel","pid":1,"nonce":"${"x".repeat(900)}"}`,
      `${"[".repeat(1_024)}`,
      `{"v":${"9".repeat(900)}}`,
      '{"v":2,"mechanism":"quantum","pid":"all of them"}',
    )
    .map((text) => Buffer.from(text)),
);

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? "";
  } catch {
    return "";
  }
}

describe("any content of a lock file", () => {
  let home: string;
  let place: { lockDir: string; configPath: string };
  let path: string;
  const kill = vi.spyOn(process, "kill");

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lk-record-"));
    place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
    path = lockPathFor(place.lockDir, place.configPath);
    await (await acquireGatewayLock(place)).release();
  });

  afterAll(() => {
    kill.mockRestore();
    rmSync(home, { recursive: true, force: true });
  });

  test("is parsed to a record of valid values, or to a reason; nothing is inherited", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const parsed = parseLockRecord(bytes);
        if (parsed.record === null) {
          expect(parsed.problem).toMatch(/^(is empty|holds .*)$/);
          return;
        }
        const { record } = parsed;
        expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
        expect(Number.isSafeInteger(record.pid) && record.pid > 0).toBe(true);
        expect(record.port === null || (record.port > 0 && record.port < 65_536)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("lets inspection, takeover and sweep finish, and none of them sends a signal", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.boolean(), async (bytes, isSwept) => {
        // Only a record of another network namespace's living owner blocks rightly.
        if (parseLockRecord(bytes).record?.mechanism === "socket") return;
        writeFileSync(path, bytes, { mode: 0o600 });
        expect(["stale", "held", "unknown"]).toContain((await inspectGatewayLock(place)).verdict);
        if (isSwept) expect(await sweepGatewayLock(place)).toBe("swept");
        else await (await acquireGatewayLock({ ...place, timeoutMs: 2_000 })).release();
      }),
      { numRuns: 300 },
    );
    expect(kill.mock.calls.filter(([, signal]) => signal !== 0)).toEqual([]);
  });

  /** Returns how many bytes of the file an inspection and a takeover read. */
  async function lookAndTake(sizeBytes: number): Promise<number> {
    writeFileSync(path, "x".repeat(LOCK_RECORD_BYTES), { mode: 0o600 });
    truncateSync(path, sizeBytes);
    const finish = countBytesRead(path);
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "stale" });
    await (await acquireGatewayLock(place)).release();
    return finish();
  }

  test("a huge file costs no more than a small one: the same number of bytes is read", async () => {
    const read = await lookAndTake(LOCK_RECORD_BYTES);
    // The control: the count sees reads of the file.
    expect(read).toBeGreaterThanOrEqual(LOCK_RECORD_BYTES);
    expect(await lookAndTake(64 * 2 ** 30)).toBe(read);
  });
});

/**
 * Counts the bytes that this process reads of the file that is at `path` now, until the returned function is called.
 */
function countBytesRead(path: string): () => number {
  const { ino } = statSync(path);
  const { readSync } = fs;
  let bytes = 0;
  const counting = (...args: Parameters<typeof readSync>): number => {
    const read = readSync(...args);
    if (fstatSync(args[0]).ino === ino) bytes += read;
    return read;
  };
  fs.readSync = counting as typeof readSync;
  syncBuiltinESMExports();
  return () => {
    fs.readSync = readSync;
    syncBuiltinESMExports();
    return bytes;
  };
}
