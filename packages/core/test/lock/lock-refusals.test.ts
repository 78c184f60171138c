import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { acquireGatewayLock, lockPathFor } from "../../src/lock/gateway-lock.ts";
import { inspectGatewayLock } from "../../src/lock/inspect.ts";
import { sweepGatewayLock } from "../../src/lock/sweep.ts";
import { refuseUnsafeLockFiles } from "../../src/lock/unsafe-lock-files.ts";
import { whileUnowned } from "../../src/lock/while-unowned.ts";

let home: string;
let place: { lockDir: string; configPath: string };
let path: string;
let target: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-refusals-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
  path = lockPathFor(place.lockDir, place.configPath);
  target = join(home, "precious");
  writeFileSync(target, "precious", { mode: 0o600 });
  mkdirSync(place.lockDir, { mode: 0o700 });
});

afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

const isRoot = process.geteuid?.() === 0;
if (!isRoot) process.stdout.write("skipped: only root can give files to somebody else\n");

/** What is put in the place of a lock file, and what the refusal says about it. */
const DANGERS: readonly (readonly [string, RegExp, (at: string) => void])[] = [
  ["a symbolic link", /is a symbolic link/, (at) => symlinkSync(target, at)],
  ["a dangling link", /is a symbolic link/, (at) => symlinkSync(join(home, "nowhere"), at)],
  ["a second name of a file", /has 2 names/, (at) => linkSync(target, at)],
  ["a directory", /is a directory/, (at) => mkdirSync(at)],
  ["a FIFO", /is not a plain file/, (at) => void execFileSync("mkfifo", [at])],
  [
    "a file that others may write",
    /can be written by others \(mode 0666\)/,
    (at) => {
      writeFileSync(at, "x");
      chmodSync(at, 0o666);
    },
  ],
];

describe("in the place of the lock file", () => {
  test.each(DANGERS)("%s is refused without a wait, and left as it is", async (_what, fact, put) => {
    put(path);
    const before = lstatSync(path, { bigint: true });
    // A wait for its deadline would exceed the test's own.
    await expect(acquireGatewayLock({ ...place, timeoutMs: 600_000 })).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringMatching(fact),
    });
    await inspectGatewayLock(place);
    await sweepGatewayLock(place).catch((error: unknown) => expect(error).toMatchObject({ code: "UNSAFE_PATH" }));
    const after = lstatSync(path, { bigint: true });
    expect([after.ino, after.mode, after.mtimeNs]).toEqual([before.ino, before.mode, before.mtimeNs]);
    expect([readFileSync(target, "utf8"), statSync(target).mode & 0o777]).toEqual(["precious", 0o600]);
    expect(existsSync(join(home, "nowhere"))).toBe(false);
  });

  test.runIf(isRoot)("a file of another user is refused", async () => {
    writeFileSync(path, "", { mode: 0o600 });
    chownSync(path, 65_534, 65_534);
    await expect(acquireGatewayLock(place)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringContaining("belongs to another user (uid 65534)"),
    });
  });

  test("a socket is refused", async () => {
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    await expect(acquireGatewayLock(place)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
    await new Promise((resolve) => server.close(resolve));
  });
});

function otherIn(lockDir: string): string {
  return join(lockDir, "gateway.0123abcd.lock");
}

describe("in a directory of a single owner, under the name of another lock file", () => {
  test.each(DANGERS)("%s is refused without a wait, and nothing is left beside it", async (_what, fact, put) => {
    const single = { ...place, scope: "directory" } as const;
    const other = otherIn(place.lockDir);
    put(other);
    const before = lstatSync(other, { bigint: true });
    const refusal = { code: "UNSAFE_PATH", message: expect.stringMatching(fact) as string };
    // A wait for its deadline would exceed the test's own.
    await expect(acquireGatewayLock({ ...single, timeoutMs: 600_000 })).rejects.toMatchObject(refusal);
    const never = vi.fn<() => Promise<void>>();
    await expect(whileUnowned(single, never, { timeoutMs: 600_000 })).rejects.toMatchObject(refusal);
    expect(() => refuseUnsafeLockFiles(single)).toThrow(expect.objectContaining(refusal));
    expect(never).not.toHaveBeenCalled();
    expect(readdirSync(place.lockDir)).toEqual([basename(other)]);
    const after = lstatSync(other, { bigint: true });
    expect([after.ino, after.mode, after.mtimeNs]).toEqual([before.ino, before.mode, before.mtimeNs]);
    expect(readFileSync(target, "utf8")).toBe("precious");
    // In a directory with locks of several configs it is none of ours.
    await (await acquireGatewayLock(place)).release();
  });

  test("a socket is refused without a wait", async () => {
    const other = otherIn(place.lockDir);
    const server = createServer().listen(other);
    await new Promise((resolve) => server.once("listening", resolve));
    await expect(acquireGatewayLock({ ...place, scope: "directory", timeoutMs: 600_000 })).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      hint: expect.stringContaining(`mv ${other} ${other}.aside`) as string,
    });
    await new Promise((resolve) => server.close(resolve));
  });

  test.runIf(isRoot)("a file of another user is refused; one that is held is an owner's", async () => {
    const single = { ...place, scope: "directory" } as const;
    const lock = await acquireGatewayLock({ ...place, configPath: join(home, "other.json") });
    chownSync(lock.path, 65_534, 65_534);
    await expect(acquireGatewayLock({ ...single, timeoutMs: 0 })).rejects.toMatchObject({ code: "LOCK_HELD" });
    await lock.release();
    writeFileSync(otherIn(place.lockDir), "", { mode: 0o600 });
    chownSync(otherIn(place.lockDir), 65_534, 65_534);
    await expect(acquireGatewayLock({ ...single, timeoutMs: 600_000 })).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringContaining("belongs to another user (uid 65534)") as string,
    });
  });
});

describe("the directory of locks is refused", () => {
  test("when it is a link", async () => {
    mkdirSync(join(home, "real"), { mode: 0o700 });
    symlinkSync(join(home, "real"), join(home, "link"));
    const elsewhere = { ...place, lockDir: join(home, "link") };
    await expect(acquireGatewayLock(elsewhere)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
  });

  test("when others may write it, even when they may only since the last time", async () => {
    await (await acquireGatewayLock(place)).release();
    chmodSync(place.lockDir, 0o777);
    await expect(acquireGatewayLock(place)).rejects.toMatchObject({
      code: "UNSAFE_PATH",
      message: expect.stringContaining("mode 0777"),
    });
    expect(statSync(place.lockDir).mode & 0o777).toBe(0o777);
  });

  test("when its parent is writable by others", async () => {
    mkdirSync(join(home, "open"));
    chmodSync(join(home, "open"), 0o777);
    await expect(acquireGatewayLock({ ...place, lockDir: join(home, "open", "lock") })).rejects.toMatchObject({
      code: "UNSAFE_PATH",
    });
  });

  test.runIf(isRoot)("when it belongs to another user", async () => {
    chownSync(place.lockDir, 65_534, 65_534);
    await expect(acquireGatewayLock(place)).rejects.toMatchObject({ code: "UNSAFE_PATH" });
  });
});

describe("modes", () => {
  test.each([0o000, 0o077, 0o777])("security 7: are 0700 and 0600 under umask %s", async (umask) => {
    const fresh = { ...place, lockDir: join(home, "fresh") };
    const before = process.umask(umask);
    try {
      const lock = await acquireGatewayLock(fresh);
      expect(statSync(fresh.lockDir).mode & 0o777).toBe(0o700);
      expect(statSync(lock.path).mode & 0o777).toBe(0o600);
      await lock.release();
    } finally {
      process.umask(before);
    }
  });

  test("of an empty leftover of a crash under a tight umask are corrected", async () => {
    writeFileSync(path, "");
    chmodSync(path, 0o000);
    const lock = await acquireGatewayLock(place);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await lock.release();
  });
});

describe("wrong options", () => {
  test.each([
    [{ timeoutMS: 5 }, 'acquireGatewayLock: unknown option "timeoutMS"; did you mean timeoutMs?'],
    [{ zzz: 5 }, 'unknown option "zzz"; known are lockDir, configPath'],
    [{ lockDir: "" }, "expected lockDir to be a path"],
    [{ configPath: 7 }, "expected configPath to be a path, got 7"],
    [{ port: 70_000 }, "expected port to be an integer from 0 to 65535, got 70000"],
    [{ port: "abc" }, 'expected port to be an integer from 0 to 65535, got "abc"'],
    [{ timeoutMs: -1 }, "expected timeoutMs to be 0 or more, got -1"],
    [{ timeoutMs: Number.NaN }, "expected timeoutMs to be 0 or more, got NaN"],
  ])("%j are a TypeError that says what was expected", async (wrong, message) => {
    const options = { ...place, ...wrong } as unknown as Parameters<typeof acquireGatewayLock>[0];
    await expect(acquireGatewayLock(options)).rejects.toThrow(
      expect.objectContaining({ name: "TypeError", message: expect.stringContaining(message) as unknown }),
    );
  });
});
