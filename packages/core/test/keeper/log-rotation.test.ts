import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { GatewayLog } from "../../src/keeper/log-rotation.ts";
import { offsetAt, parseLogIndex } from "../../src/keeper/log-index.ts";
import { followLog, readLastLines, readLog } from "../../src/keeper/log-reader.ts";
import { freePort } from "../../../../test/harness/free-port.ts";
import { KeeperScene } from "./kept-gateway.ts";

let home: string;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-log-"));
  path = join(home, "gateway.log");
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Lines that can be told apart: `from` up to `to`, 10 bytes each. */
function numbered(from: number, to: number): string {
  let text = "";
  for (let number = from; number < to; number += 1) text += `${String(number).padStart(9, "0")}\n`;
  return text;
}

function numbersIn(lines: readonly string[]): readonly number[] {
  return lines.map(Number);
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe("rotation", () => {
  it.each([0, 0o777])("keeps five files, in order, private under umask %o, and loses no line", async (umask) => {
    const before = process.umask(umask);
    const log = new GatewayLog(path, { rotateAtBytes: 100 });
    for (let from = 0; from < 80; from += 10) {
      writeSync(log.fd, numbered(from, from + 10));
      expect(log.check()).toBe("grew");
    }
    process.umask(before);
    writeSync(log.fd, numbered(80, 85));
    log.close();
    for (const name of ["", ".1", ".2", ".3", ".4", ".5", ".index", ".1.index", ".5.index"]) {
      expect(statSync(`${path}${name}`).mode & 0o777).toBe(0o600);
    }
    expect(existsSync(`${path}.6`)).toBe(false);
    expect(numbersIn((await readLog(path)).lines)).toEqual(range(30, 85));
  });

  it("bounds what a flood leaves on the disk, and says where the rest begins", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 100 });
    writeSync(log.fd, numbered(0, 1_000));
    log.check();
    expect([statSync(path).size, statSync(`${path}.1`).size]).toEqual([0, 200]);
    expect(numbersIn(await readLastLines(path, 3))).toEqual([997, 998, 999]);
    log.close();
  });

  it("goes on where a killed keeper stopped between truncation and index", async () => {
    const first = new GatewayLog(path, { rotateAtBytes: 1_000 });
    writeSync(first.fd, numbered(0, 50));
    first.check();
    first.close();
    writeFileSync(path, "");
    const second = new GatewayLog(path, { rotateAtBytes: 1_000 });
    writeSync(second.fd, numbered(50, 60));
    second.close();
    const { lines, end } = await readLog(path);
    expect([numbersIn(lines), end]).toEqual([range(50, 60), 600]);
  });

  it("refuses a file with a second name and leaves it alone", () => {
    writeFileSync(join(home, "precious"), "x");
    linkSync(join(home, "precious"), path);
    expect(() => new GatewayLog(path)).toThrow(/has 2 names/);
    expect(readFileSync(join(home, "precious"), "utf8")).toBe("x");
  });
});

describe("reading", () => {
  it("gives the last lines, a torn one included, and nothing for no log", async () => {
    expect(await readLastLines(path, 3)).toEqual([]);
    writeFileSync(path, "a\nb\nc\nd");
    expect(await readLastLines(path, 2)).toEqual(["c", "d"]);
    expect(await readLastLines(path, 0)).toEqual([]);
    writeFileSync(path, "a\n\n");
    expect(await readLastLines(path, 5)).toEqual(["a", ""]);
  });

  it("gives the lines since a time, by the marks", async () => {
    writeFileSync(path, numbered(0, 30));
    writeFileSync(`${path}.index`, "lockkeeper-log-index 1 0\n1000 100\n2000 200\n3000 300\n");
    const since = async (sinceMs: number): Promise<readonly number[]> =>
      numbersIn((await readLog(path, { sinceMs })).lines);
    expect(await since(500)).toEqual(range(0, 30));
    expect(await since(1_000)).toEqual(range(10, 30));
    expect(await since(2_999)).toEqual(range(20, 30));
    expect(await since(3_000)).toEqual([]);
    expect(numbersIn((await readLog(path, { sinceMs: 1_000, lines: 3 })).lines)).toEqual(range(27, 30));
  });

  it("follows across rotations, and neither repeats nor skips a line", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 300 });
    writeSync(log.fd, numbered(0, 5));
    log.check();
    const { end } = await readLog(path);
    const over = new AbortController();
    const seen: number[] = [];
    const following = (async (): Promise<void> => {
      for await (const line of followLog(path, { from: end, signal: over.signal })) {
        seen.push(Number(line));
        if (seen.at(-1) === 199) over.abort();
      }
    })();
    for (let from = 5; from < 200; from += 5) {
      writeSync(log.fd, numbered(from, from + 5));
      log.check();
      // Another turn of the event loop for the reader, at varying distance from the rotation.
      if (from % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (from % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 120));
    }
    await following;
    log.close();
    expect(seen).toEqual(range(5, 200));
  });

  it("follows a log that comes later, and cuts a line without an end", async () => {
    const over = new AbortController();
    const lines = followLog(path, { from: 0, signal: over.signal });
    const first = lines.next();
    appendFileSync(path, "x".repeat(200_000));
    appendFileSync(path, "\nnext\n");
    expect((await first).value).toHaveLength(8 * 1024 + 1);
    expect((await lines.next()).value).toBe("next");
    over.abort();
    expect((await lines.next()).done).toBe(true);
  });
});

describe("the index", () => {
  it.each([
    ["a FIFO", (index: string): void => void execFileSync("mkfifo", [index])],
    ["a hard link", (index: string, target: string): void => linkSync(target, index)],
  ])("that is %s in truth is passed over, waited for and written by nobody", async (_, plant) => {
    const target = join(home, "target");
    writeFileSync(target, "precious");
    plant(`${path}.index`, target);
    const log = new GatewayLog(path);
    writeSync(log.fd, "one\n");
    expect((await readLog(path, { sinceMs: 1 })).lines).toEqual(["one"]);
    log.check();
    log.close();
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  it("is parsed from anything without harm", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, sinceMs) => {
        const index = parseLogIndex(`lockkeeper-log-index 1 7\n${text}`);
        if (index !== undefined) expect(offsetAt(index, sinceMs)).toBeGreaterThanOrEqual(0);
        parseLogIndex(text);
      }),
    );
  });

  it("never says that output since a time begins later than it does", () => {
    const growth = fc.array(fc.record({ afterMs: fc.nat(5_000), bytes: fc.nat(500) }), { maxLength: 30 });
    fc.assert(
      fc.property(growth, fc.nat(100_000), (steps, sinceMs) => {
        let atMs = 0;
        let sizeBytes = 0;
        let text = "lockkeeper-log-index 1 0\n";
        let firstSince: number | undefined;
        for (const { afterMs, bytes } of steps) {
          atMs += afterMs;
          if (atMs > sinceMs && bytes > 0) firstSince ??= sizeBytes;
          sizeBytes += bytes;
          text += `${atMs} ${sizeBytes}\n`;
        }
        const index = parseLogIndex(text);
        expect(index && offsetAt(index, sinceMs)).toBeLessThanOrEqual(firstSince ?? sizeBytes);
      }),
    );
  });
});

describe("a gateway that floods its log", () => {
  it("is kept within bounds and stays healthy", async () => {
    const scene = new KeeperScene();
    const port = await freePort();
    const totalBytes = 150 * 1024 * 1024;
    const kept = scene.keep(scene.spec("floods-log.js", [port, totalBytes], { port }));
    await kept.until("running");
    await kept.stop();
    const { logPath } = kept.spec;
    const sizes = ["", ".1", ".2", ".3", ".4", ".5"].map((name) =>
      statSync(`${logPath}${name}`, { throwIfNoEntry: false }),
    );
    const kib = sizes.reduce((sum, stats) => sum + (stats?.size ?? 0), 0) / 1024;
    expect(kib).toBeLessThan(130 * 1024);
    expect((await readLastLines(logPath, 1))[0]).toMatch(/^ready$|^\d{9} x+$/);
    await scene.end();
  });
});

const mountable = canMountTmpfs();

describe("a full disk under log, history and run record", () => {
  it.skipIf(!mountable)(
    "stops neither keeper nor gateway, their state is told, and what was not written follows later",
    async () => {
      const scene = new KeeperScene();
      const port = await freePort();
      const disk = join(scene.home, "disk");
      mkdirSync(disk, { mode: 0o700 });
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", disk]);
      try {
        const kept = scene.keep(
          scene.spec("healthy.js", [port], {
            port,
            livenessIntervalMs: 50,
            logPath: join(disk, "logs", "gateway.log"),
            eventsPath: join(disk, "logs", "events.jsonl"),
            runRecordPath: join(disk, "run", "dev.json"),
          }),
        );
        const first = await kept.until("running");
        fillUp(join(disk, "filler"));
        process.kill(first.gateway?.pid ?? 0, "SIGKILL");
        const second = await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
        const onDisk = (): string => readFileSync(kept.spec.runRecordPath, "utf8");
        expect(JSON.parse(onDisk()), "what everybody reads stays true").toMatchObject({ gateway: second.gateway });
        const history = (): string => readFileSync(kept.spec.eventsPath, "utf8");
        rmSync(join(disk, "filler"));
        await expect.poll(history, { timeout: 10_000 }).toContain("killed by SIGKILL");
      } finally {
        await scene.end().catch(() => undefined);
        execFileSync("umount", [disk]);
        rmSync(scene.home, { recursive: true, force: true });
      }
    },
  );
  if (!mountable) process.stdout.write("skipped: a full disk under the log (mounting a tmpfs needs root)\n");
});

function fillUp(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(4_096));
  } catch {
    // Full.
  }
}

function canMountTmpfs(): boolean {
  const probe = mkdtempSync(join(tmpdir(), "lk-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", probe], { stdio: "ignore" });
    execFileSync("umount", [probe], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
