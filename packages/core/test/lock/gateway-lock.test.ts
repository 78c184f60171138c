import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { until } from "../../../../test/harness/until.ts";
import type { GatewayLockOptions } from "../../src/lock/gateway-lock.ts";
import { acquireGatewayLock, acquireGatewayLockBy, lockPathFor } from "../../src/lock/gateway-lock.ts";
import { inspectGatewayLock } from "../../src/lock/inspect.ts";
import { sweepGatewayLock } from "../../src/lock/sweep.ts";
import { lockFilesFor } from "../../src/lock/lock-path.ts";
import { LOCK_RECORD_BYTES, formatLockRecord, parseLockRecord } from "../../src/lock/lock-record.ts";
import { withFileMutex } from "../../src/lock/file-mutex.ts";
import { tryClaim } from "../../src/lock/mechanism/try-claim.ts";

let home: string;
let place: { lockDir: string; configPath: string };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-lock-"));
  place = { lockDir: join(home, "lock"), configPath: join(home, "gateway.json") };
});

afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

describe.each([["kernel"], ["socket"]] as const)("the gateway lock held by the %s", (mechanism) => {
  const acquire = (options: Partial<GatewayLockOptions> = {}): ReturnType<typeof acquireGatewayLock> =>
    acquireGatewayLockBy([mechanism], { ...place, ...options });

  test("is one private file with a whole record while held, and leaves nothing afterwards", async () => {
    const lock = await acquire({ profile: "dev", host: "127.0.0.1" });
    expect(lock.path).toBe(lockPathFor(place.lockDir, place.configPath));
    const stats = statSync(lock.path);
    expect([stats.mode & 0o777, stats.size]).toEqual([0o600, LOCK_RECORD_BYTES]);
    expect(statSync(place.lockDir).mode & 0o777).toBe(0o700);
    expect(parseLockRecord(readFileSync(lock.path))).toEqual({ record: lock.record });
    expect(lock.record).toMatchObject({
      v: 1,
      mechanism,
      pid: process.pid,
      profile: "dev",
      host: "127.0.0.1",
      port: null,
    });
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "held", record: { pid: process.pid } });
    await lock.release();
    await lock.release();
    expect(existsSync(lock.path)).toBe(false);
    expect(await inspectGatewayLock(place)).toMatchObject({ verdict: "free", record: null });
  });

  test("refuses a second owner with the exact message, and not before the deadline", async () => {
    const lock = await acquire();
    const startedAt = performance.now();
    await expect(acquire({ timeoutMs: 120 })).rejects.toMatchObject({
      name: "GatewayLockError",
      code: "LOCK_HELD",
      message: `gateway already running (pid ${process.pid}); lock timeout after 120ms`,
      ownerPid: process.pid,
    });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119);
    await lock.release();
    await (await acquire()).release();
  });

  test("waits for an owner that releases in time", async () => {
    const lock = await acquire();
    const next = acquire();
    await lock.release();
    await expect(next.then((own) => own.release())).resolves.toBeUndefined();
  });

  test("rewrites the record in place", async () => {
    const lock = await acquire();
    const inode = statSync(lock.path).ino;
    lock.update({ host: "::1", port: 18789, gateway: { pid: 42, startTicks: 7 } });
    lock.update({ port: 18790 });
    const expected = { host: "::1", port: 18790, gateway: { pid: 42, startTicks: 7 } };
    expect(parseLockRecord(readFileSync(lock.path)).record).toMatchObject(expected);
    expect([statSync(lock.path).ino, statSync(lock.path).size]).toEqual([inode, LOCK_RECORD_BYTES]);
    await lock.release();
    lock.update({ port: 1 });
    expect(existsSync(lock.path)).toBe(false);
  });

  test("is released when the port is taken", async () => {
    const stranger = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => stranger.once("listening", resolve));
    const address = stranger.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(acquire({ host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "PORT_IN_USE",
      message: `another gateway instance is already listening on ws://127.0.0.1:${port}`,
    });
    expect(existsSync(lockPathFor(place.lockDir, place.configPath))).toBe(false);
    await new Promise((resolve) => stranger.close(resolve));
  });

  test("fails at once when the confirmed owner listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const lock = await acquire();
    lock.update({ host: "127.0.0.1", port });
    await expect(acquire({ timeoutMs: 60_000, host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "LOCK_HELD",
      message: expect.stringMatching(/^gateway already running \(pid \d+\); lock timeout after \d{1,4}ms$/),
    });
    await lock.release();
    await new Promise((resolve) => server.close(resolve));
  });

  test("stops waiting on request", async () => {
    const lock = await acquire();
    const asked = new AbortController();
    const waiting = acquire({ signal: asked.signal });
    asked.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    await expect(acquire({ signal: asked.signal })).rejects.toMatchObject({ code: "ABORTED" });
    await lock.release();
  });
});

describe("the path of a lock", () => {
  test("is the same for every path to one config", () => {
    writeFileSync(place.configPath, "{}");
    symlinkSync(place.configPath, join(home, "link.json"));
    const path = lockPathFor(place.lockDir, place.configPath);
    expect(path).toMatch(/\/lock\/gateway\.[0-9a-f]{8}\.lock$/);
    expect(lockPathFor(place.lockDir, join(home, "link.json"))).toBe(path);
    expect(lockPathFor(place.lockDir, join(home, "lock", "..", "gateway.json"))).toBe(path);
    expect(lockPathFor(place.lockDir, join(home, "other.json"))).not.toBe(path);
  });

  test("does not change when the config is created", () => {
    symlinkSync(home, join(home, "itself"));
    const before = lockPathFor(place.lockDir, join(home, "itself", "gateway.json"));
    writeFileSync(place.configPath, "{}");
    expect(lockPathFor(place.lockDir, place.configPath)).toBe(before);
  });
});

describe("an owner that listens", () => {
  test("is checked twice: when it ends at the first check, the next one takes over", async () => {
    const lock = await acquireGatewayLock(place);
    // Like a killed owner: it answers a last time, and is gone.
    const server = createServer((connection) => {
      connection.destroy();
      server.close();
      void lock.release();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    lock.update({ host: "127.0.0.1", port });
    const next = await acquireGatewayLock({ ...place, timeoutMs: 5_000 });
    expect(server.listening).toBe(false);
    await next.release();
  });
});

describe.runIf(process.platform === "linux")("an old copy of a dead owner's file", () => {
  test("that is put back under a living owner gives nobody the lock", async () => {
    // A config elsewhere has only one name, so only the mark shows the owner.
    const elsewhere = { ...place, configPath: join(tmpdir(), "lk-lock-elsewhere.json") };
    const lock = await acquireGatewayLock(elsewhere);
    // Our own pid with another start time: a process that has ended.
    const dead = { ...lock.record, startTicks: (lock.record.startTicks ?? 0) + 1 };
    const copy = `${lock.path}.old`;
    writeFileSync(copy, formatLockRecord(dead), { mode: 0o600 });
    renameSync(copy, lock.path);
    expect(await tryClaim(lockFilesFor(elsewhere), () => formatLockRecord(dead))).toBe("refused");
    await lock.release();
    await (await acquireGatewayLock(elsewhere)).release();
  });
});

describe("a stranger on the port", () => {
  test("is asked now and then after a takeover, not as fast as it answers", async () => {
    let asked = 0;
    const server = createServer((connection) => {
      asked += 1;
      connection.destroy();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await (await acquireGatewayLock(place)).release();
    // On a machine that stands still for the 300 ms of a takeover, there is time for one look only.
    await until("the stranger is asked more than once", async () => {
      asked = 0;
      writeFileSync(lockPathFor(place.lockDir, place.configPath), "", { mode: 0o600 });
      const refused = acquireGatewayLock({ ...place, host: "127.0.0.1", port });
      await expect(refused).rejects.toMatchObject({ code: "PORT_IN_USE" });
      expect(asked).toBeLessThan(40);
      return asked > 1;
    });
    await new Promise((closed) => server.close(closed));
  });
});

describe("sweeping", () => {
  test("removes a leftover, leaves an owner alone, and then has nothing to do", async () => {
    expect(await sweepGatewayLock(place)).toBe("nothing");
    const lock = await acquireGatewayLock(place);
    expect(await sweepGatewayLock(place)).toBe("held");
    await lock.release();
    writeFileSync(lock.path, "", { mode: 0o600 });
    expect(await sweepGatewayLock(place)).toBe("swept");
    expect(existsSync(lock.path)).toBe(false);
  });
});

describe("the file mutex", () => {
  test("runs one at a time, returns the result, and keeps its file", async () => {
    const path = join(home, "registry.lock");
    let inside = 0;
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        withFileMutex(path, async () => {
          inside += 1;
          expect(inside).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 1));
          inside -= 1;
          return index;
        }),
      ),
    );
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(existsSync(path)).toBe(true);
  });

  test("names path and holder when the time runs out, and is released after a failure", async () => {
    const path = join(home, "registry.lock");
    const failed = withFileMutex(path, async () => {
      await expect(withFileMutex(path, () => 1, { timeoutMs: 30 })).rejects.toMatchObject({
        code: "MUTEX_TIMEOUT",
        message: `${path} is still held by pid ${process.pid} after 30 ms`,
      });
      throw new RangeError("of fn itself");
    });
    await expect(failed).rejects.toThrow(RangeError);
    expect(await withFileMutex(path, () => 2)).toBe(2);
  });
});
