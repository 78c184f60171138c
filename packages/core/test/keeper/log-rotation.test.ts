import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { signalProcess } from "../../src/host/process-signal.ts";
import { GatewayLog } from "../../src/keeper/log-rotation.ts";
import type { LogMark } from "../../src/keeper/log-index.ts";
import { offsetAt, parseLogIndex, thinMarks, timeAt } from "../../src/keeper/log-index.ts";
import { parseLogNote } from "../../src/keeper/log-note.ts";
import type { LogLine } from "../../src/keeper/log-reader.ts";
import { followLog } from "../../src/keeper/log-follow.ts";
import { readLastLines, readLog } from "../../src/keeper/log-reader.ts";
import { freePort } from "../../../../test/harness/ports.ts";
import { until } from "../../../../test/harness/until.ts";
import { KeeperScene } from "./kept-gateway.ts";

let home: string;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-log-"));
  path = join(home, "gateway.log");
});

afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** Returns distinguishable lines from `from` to `to`, 10 bytes each. */
function numbered(from: number, to: number): string {
  let text = "";
  for (let number = from; number < to; number += 1) text += `${String(number).padStart(9, "0")}\n`;
  return text;
}

/** The numbers of the gateway's own lines; the keeper's are left out. */
function numbersIn(lines: readonly (LogLine | string)[]): readonly number[] {
  const texts = lines.map((line) => (typeof line === "string" ? line : line.text));
  return texts.filter((text) => parseLogNote(text) === undefined).map(Number);
}

/** Returns what the keeper itself wrote into the log, by kind. */
async function notesIn(file: string): Promise<readonly string[]> {
  return (await readLog(file)).lines.flatMap(({ text }) => parseLogNote(text)?.kind ?? []);
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe("rotation", () => {
  test.each([0, 0o777])("keeps five files, in order, private under umask %o, and loses no line", async (umask) => {
    const before = process.umask(umask);
    const log = new GatewayLog(path, { rotateAtBytes: 200 });
    for (let from = 0; from < 160; from += 20) {
      writeSync(log.fd, numbered(from, from + 20));
      expect(await log.check()).toBe("grew");
    }
    process.umask(before);
    writeSync(log.fd, numbered(160, 165));
    await log.close();
    for (const name of ["", ".1", ".2", ".3", ".4", ".5", ".index", ".1.index", ".5.index"]) {
      expect(statSync(`${path}${name}`).mode & 0o777).toBe(0o600);
    }
    expect(existsSync(`${path}.6`)).toBe(false);
    expect(numbersIn((await readLog(path)).lines)).toEqual(range(60, 165));
    expect(await notesIn(path)).toEqual(Array(6).fill("rotated"));
  });

  test("limits the disk use of a flood, begins with a whole line, and says what was dropped", async () => {
    const losses: string[] = [];
    const log = new GatewayLog(path, { rotateAtBytes: 105, onLoss: (text) => losses.push(text) });
    writeSync(log.fd, numbered(0, 1_000));
    await log.check();
    expect(statSync(`${path}.1`).size).toBe(210);
    expect(numbersIn(await readLastLines(path, 5))).toEqual([997, 998, 999]);
    expect(losses).toEqual([expect.stringMatching(/^9790 bytes of output were dropped/)]);
    expect(await notesIn(path)).toEqual(["rotated", "lost"]);
    await log.close();
  });

  test("does not wait for the end of output that arrives as fast as it is copied", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 4 * 1024 * 1024 });
    const flood = spawn("cat", ["/dev/zero"], { stdio: ["ignore", log.fd, "ignore"] });
    try {
      for (let rotations = 0; rotations < 3;) {
        await until("more output", () => statSync(path).size >= 4 * 1024 * 1024);
        // The event loop turns meanwhile: a look that blocked it would let no timer through.
        let turns = 0;
        const timer = setInterval(() => (turns += 1), 1);
        await log.check();
        clearInterval(timer);
        // Twice the length of a file, and five last steps of at most one MiB each.
        expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(13 * 1024 * 1024);
        if (turns > 0) rotations += 1;
      }
    } finally {
      flood.kill("SIGKILL");
      await log.close();
    }
  });

  test("counts what is written during the copy: a follower loses and repeats nothing", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 1_000 });
    writeSync(log.fd, numbered(0, 120));
    const looking = log.check();
    // The copy is read off the event loop, which does not turn meanwhile: the copy waits for it.
    for (let turn = 0; turn < 100 && !existsSync(`${path}.rotating`); turn += 1) await Promise.resolve();
    expect(existsSync(`${path}.rotating`)).toBe(true);
    writeSync(log.fd, numbered(120, 150));
    await looking;
    const { end } = await readLog(path);
    writeSync(log.fd, numbered(150, 160));
    const over = new AbortController();
    const seen: string[] = [];
    for await (const line of followLog(path, { from: end, signal: over.signal })) {
      seen.push(line);
      if (seen.length === 10) over.abort();
    }
    expect(numbersIn(seen)).toEqual(range(150, 160));
    expect(numbersIn((await readLog(path)).lines)).toEqual(range(0, 160));
    expect(end).toBe(1_500 + readFileSync(path, "utf8").indexOf("000000150"));
    await log.close();
  });

  test("drops whole lines of what is written faster than it can be copied, and says so in a line of its own", async () => {
    const losses: string[] = [];
    // Two files of that length end within a line.
    const log = new GatewayLog(path, { rotateAtBytes: 1_003, onLoss: (text) => losses.push(text) });
    writeSync(log.fd, numbered(0, 120));
    const looking = log.check();
    for (let turn = 0; turn < 100 && !existsSync(`${path}.rotating`); turn += 1) await Promise.resolve();
    writeSync(log.fd, numbered(120, 200_000));
    await looking;
    expect(losses).toEqual([expect.stringMatching(/^1998000 bytes of output were dropped/)]);
    expect(await notesIn(path)).toEqual(["rotated", "lost"]);
    writeSync(log.fd, numbered(200_000, 200_003));
    const { lines, end } = await readLog(path);
    expect(numbersIn(lines)).toEqual([...range(0, 200), ...range(200_000, 200_003)]);
    expect(end).toBe(2_000_000 + statSync(path).size);
    await log.close();
  });

  test("moves the first half of a line together with its second half", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 100 });
    writeSync(log.fd, `${numbered(0, 12)}0000`);
    await log.check();
    writeSync(log.fd, "00012\n");
    expect(readFileSync(`${path}.1`, "utf8")).toBe(numbered(0, 12));
    expect(readFileSync(path, "utf8")).toBe(numbered(12, 13));
    await log.close();
  });

  test("continues where a killed keeper stopped between truncation and index", async () => {
    const first = new GatewayLog(path, { rotateAtBytes: 1_000 });
    writeSync(first.fd, numbered(0, 50));
    await first.close();
    writeFileSync(`${path}.1`, readFileSync(path));
    writeFileSync(`${path}.1.index`, readFileSync(`${path}.index`));
    writeFileSync(path, "");
    const second = new GatewayLog(path, { rotateAtBytes: 1_000 });
    writeSync(second.fd, numbered(50, 60));
    await second.close();
    const { lines, end } = await readLog(path);
    expect([numbersIn(lines), end]).toEqual([range(0, 60), 600]);
  });

  test("refuses a file with a second name and leaves it alone; the command of the hint gives it a name of its own", async () => {
    writeFileSync(join(home, "precious"), "x", { mode: 0o600 });
    linkSync(join(home, "precious"), path);
    const refused = await Promise.resolve()
      .then(() => new GatewayLog(path))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: expect.stringContaining("has 2 names") as string });
    expect(readFileSync(join(home, "precious"), "utf8")).toBe("x");
    const [, command = ""] = /: (.*)$/u.exec(String(Reflect.get(Object(refused), "hint"))) ?? [];
    execFileSync("sh", ["-c", command]);
    await new GatewayLog(path).close();
    expect([readFileSync(path, "utf8"), readFileSync(join(home, "precious"), "utf8")]).toEqual(["x", "x"]);
  });
});

describe("reading", () => {
  test("returns the last lines, a torn one included, and nothing for a missing log", async () => {
    expect(await readLastLines(path, 3)).toEqual([]);
    writeFileSync(path, "a\nb\nc\nd");
    expect(await readLastLines(path, 2)).toEqual(["c", "d"]);
    expect(await readLastLines(path, 0)).toEqual([]);
    writeFileSync(path, "a\n\n");
    expect(await readLastLines(path, 5)).toEqual(["a", ""]);
  });

  test("returns the lines since a time, by the marks", async () => {
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

  test("gives each line its time: the line's own where it has one", async () => {
    writeFileSync(path, `a\nb\n1970-01-01T00:00:01.500Z c\n2020-01-01T00:00:00Z d\n`);
    writeFileSync(`${path}.index`, "lockkeeper-log-index 1 0\n1000 2\n2000 54\n");
    const { lines } = await readLog(path);
    expect(lines.map(({ atMs }) => atMs)).toEqual([1_000, 2_000, 1_500, 2_000]);
  });

  test("returns the last lines that fit a condition", async () => {
    writeFileSync(`${path}.1`, numbered(0, 20_000));
    writeFileSync(path, numbered(20_000, 30_000));
    const { lines } = await readLog(path, { lines: 2, matches: (text) => text.endsWith("77") });
    expect(numbersIn(lines)).toEqual([29_877, 29_977]);
    expect(numbersIn((await readLog(path, { lines: 15_000 })).lines)).toEqual(range(15_000, 30_000));
  });

  test("follows across rotations; no line is repeated or skipped", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 300 });
    writeSync(log.fd, numbered(0, 5));
    await log.check();
    const { end } = await readLog(path);
    const over = new AbortController();
    const seen: string[] = [];
    const following = (async (): Promise<void> => {
      for await (const line of followLog(path, { from: end, signal: over.signal })) {
        seen.push(line);
        if (Number(line) === 199) over.abort();
      }
    })();
    for (let from = 5; from < 200; from += 5) {
      writeSync(log.fd, numbered(from, from + 5));
      await log.check();
      // The reader gets another turn of the event loop, at a varying distance from the rotation.
      if (from % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (from % 50 === 0) await until("the reader has all of it", () => numbersIn(seen).at(-1) === from + 4);
    }
    await following;
    await log.close();
    expect(numbersIn(seen)).toEqual(range(5, 200));
  });

  test("follows a log that appears later, and cuts a line that has no end", async () => {
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
  test("of a log that grows by a dot between looks gets only a few marks a minute", async () => {
    const log = new GatewayLog(path);
    const sizeOfIndex = (): number => statSync(`${path}.index`).size;
    const began = Date.now();
    for (let dots = 0; dots < 500; dots += 1) {
      writeSync(log.fd, ".");
      utimesSync(path, new Date(began + dots * 250), new Date(began + dots * 250));
      await log.check();
    }
    expect(sizeOfIndex()).toBeLessThan(70 * 24);
    await log.close();
    expect(readFileSync(`${path}.index`, "latin1")).toMatch(/ 500\n$/);
  });

  test("is thinned by age: it has at most two thousand marks, and each time is accurate to a hundredth of its age", () => {
    const second = 1_000;
    const now = 30 * 24 * 3_600 * second;
    let marks: readonly LogMark[] = [];
    for (let atMs = 0, sizeBytes = 0; atMs <= now; atMs += 60 * second, sizeBytes += 10) {
      marks = [...(marks.length > 3_000 ? thinMarks(marks, atMs) : marks), { atMs, sizeBytes }];
    }
    marks = thinMarks(marks, now);
    expect(marks.length).toBeLessThan(2_000);
    for (const agoMs of [0, 600 * second, 3_600 * second, 20 * 24 * 3_600 * second]) {
      const written = ((now - agoMs) / second / 60) * 10;
      const told = timeAt({ base: 0, marks }, written) ?? NaN;
      expect(told).toBeGreaterThanOrEqual(now - agoMs);
      expect(told - (now - agoMs)).toBeLessThanOrEqual(Math.max(120 * second, agoMs / 50));
    }
  });

  test.each([
    ["a FIFO", (index: string): void => void execFileSync("mkfifo", [index])],
    ["a hard link", (index: string, target: string): void => linkSync(target, index)],
  ])("that is %s is skipped: nothing waits for it or writes to it", async (_, plant) => {
    const target = join(home, "target");
    writeFileSync(target, "precious");
    plant(`${path}.index`, target);
    const log = new GatewayLog(path);
    writeSync(log.fd, "one\n");
    expect((await readLog(path, { sinceMs: 1 })).lines.map(({ text }) => text)).toEqual(["one"]);
    await log.check();
    await log.close();
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  test("parses any bytes without harm", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, sinceMs) => {
        const index = parseLogIndex(`lockkeeper-log-index 1 7\n${text}`);
        if (index !== undefined) expect(offsetAt(index, sinceMs)).toBeGreaterThanOrEqual(0);
        parseLogIndex(text);
      }),
    );
  });

  test("never says that output since a time begins later than it does", () => {
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

/** Runs `program` in a shell on the log; the shell's standard error is the log's descriptor. */
function inShell(log: GatewayLog, program: string): void {
  execFileSync("sh", ["-c", program], { stdio: ["ignore", log.fd, log.fd] });
}

describe("a log that somebody takes away", () => {
  test.each([
    ["removed", () => rmSync(path)],
    [
      "moved, with an empty one in its place",
      () => (renameSync(path, `${path}.old`), writeFileSync(path, "", { mode: 0o600 })),
    ],
  ])("is reported in its place and in the history, once: %s", async (_, take) => {
    const losses: string[] = [];
    const log = new GatewayLog(path, { onLoss: (text) => losses.push(text) });
    writeSync(log.fd, numbered(0, 3));
    await log.check();
    expect(losses).toEqual([]);
    take();
    await log.check();
    writeSync(log.fd, numbered(3, 6));
    await log.check();
    await log.close();
    expect(losses).toEqual([expect.stringMatching(/^the log file was removed or moved away/)]);
    expect(await notesIn(path)).toEqual(["lost"]);
  });

  test("is not created again where its directory is gone", async () => {
    const log = new GatewayLog(path);
    rmSync(home, { recursive: true });
    await log.check();
    await log.close();
    expect(existsSync(home)).toBe(false);
  });
});

describe("a log that its own gateway cuts", () => {
  test.each([
    ["truncated by > /dev/stderr", "echo again > /dev/stderr"],
    ["truncated, and as long as before", "printf '0123456789%.0s' 1 2 3 4 5 6 7 8 9 10 > /dev/stderr"],
    ["truncated, and longer than before", "seq 1000 > /dev/stderr"],
    ["written over from its beginning", "exec 1<>/dev/stderr; echo over"],
  ])("%s is reported in the log and in the history, whatever its length", async (_, program) => {
    const losses: string[] = [];
    const log = new GatewayLog(path, { onLoss: (text) => losses.push(text) });
    log.note("start", "the gateway starts");
    writeSync(log.fd, numbered(0, 3));
    await log.check();
    const { end } = await readLog(path);
    inShell(log, program);
    await log.check();
    expect(losses).toEqual([expect.stringMatching(/^\d+ bytes of output were cut by the gateway/)]);
    expect(await notesIn(path)).toContain("lost");
    expect((await readLog(path)).end).toBeGreaterThan(end);
    await log.check();
    await log.close();
    expect(losses).toHaveLength(1);
  });

  test("repeatedly is reported once a minute, and never silently", async () => {
    const losses: string[] = [];
    const log = new GatewayLog(path, { onLoss: (text) => losses.push(text) });
    log.note("start", "the gateway starts");
    await log.check();
    for (let times = 0; times < 3; times += 1) {
      inShell(log, "echo tick > /dev/stderr");
      await log.check();
      expect(await notesIn(path)).toEqual(["lost"]);
    }
    expect(losses).toHaveLength(1);
    await log.close();
  });

  test("is noticed by the next keeper too", async () => {
    const first = new GatewayLog(path);
    writeSync(first.fd, numbered(0, 50));
    await first.close();
    writeFileSync(path, "");
    const losses: string[] = [];
    const second = new GatewayLog(path, { onLoss: (text) => losses.push(text) });
    await second.close();
    expect(losses).toEqual([expect.stringMatching(/500 bytes .* while no keeper looked/)]);
  });

  test("leaves rotated files whole, and a writer with its own position fills none with zeros", async () => {
    const log = new GatewayLog(path, { rotateAtBytes: 64 * 1024 });
    const own = openSync(path, "r+");
    const write = async (text: string, position: number): Promise<number> => {
      writeSync(own, text, position);
      await log.check();
      return position + text.length;
    };
    const first = numbered(0, 7_000);
    let position = await write(first, 0);
    expect(readFileSync(`${path}.1`, "utf8")).toBe(first);
    for (let from = 7_000; from < 7_300; from += 100) position = await write(numbered(from, from + 100), position);
    expect(existsSync(`${path}.2`), "a hole is no reason to rotate").toBe(false);
    expect(numbersIn((await readLog(path)).lines)).toEqual(range(0, 7_300));
    await write(numbered(7_300, 15_000), position);
    expect(statSync(`${path}.1`).size).toBeLessThan(150 * 1024);
    expect(readFileSync(`${path}.2`, "utf8")).toBe(first);
    expect(numbersIn((await readLog(path)).lines)).toEqual(range(0, 15_000));
    closeSync(own);
    await log.close();
  });
});

describe("a rotation that fails", () => {
  test.each([
    ["a directory in the place of the copy", () => mkdirSync(`${path}.rotating/full`, { recursive: true })],
    ["a directory in the place of the first rotated file", () => mkdirSync(`${path}.1/full`, { recursive: true })],
  ])("is tried again later, and the log stays within twice its limit: %s", async (_what, plant) => {
    const losses: string[] = [];
    const log = new GatewayLog(path, { rotateAtBytes: 1_000, onLoss: (text) => losses.push(text) });
    plant();
    for (let from = 0; from < 1_000; from += 10) {
      writeSync(log.fd, numbered(from, from + 10));
      await log.check();
      expect(statSync(path).size).toBeLessThan(2_300);
    }
    expect(losses).toEqual([expect.stringContaining("could not be copied to a rotated file")]);
    expect(numbersIn(await readLastLines(path, 3)).at(-1)).toBe(999);
    await log.close();
  });
});

describe("a gateway that floods its log", () => {
  test("stays within limits and healthy", async () => {
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
    // Five files of twice a length and five last steps, and the present one.
    expect(kib).toBeLessThan(140 * 1024);
    const last = (await readLastLines(logPath, 20)).filter((line) => parseLogNote(line) === undefined).at(-1);
    expect(last).toMatch(/^ready$|^\d{9} x+$/);
    await scene.end();
  });
});

const mountable = canMountTmpfs();

describe("a full disk under log, history and run record", () => {
  test.skipIf(!mountable)(
    "stops neither keeper nor gateway; their state is reported, and unwritten data follows later",
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
        if (first.gateway !== null) signalProcess(first.gateway, "SIGKILL");
        const second = await kept.until(({ state, restarts }) => state === "running" && restarts === 1);
        const onDisk = (): string => readFileSync(kept.spec.runRecordPath, "utf8");
        expect(JSON.parse(onDisk()), "what everybody reads stays true").toMatchObject({ gateway: second.gateway });
        const history = (): string => readFileSync(kept.spec.eventsPath, "utf8");
        rmSync(join(disk, "filler"));
        await until("the history follows", () => history().includes("killed by SIGKILL"));
      } finally {
        await scene.end().catch(() => undefined);
        execFileSync("umount", [disk]);
        rmSync(scene.home, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  );
  if (!mountable) process.stdout.write("skipped: a full disk under the log (mounting a tmpfs needs root)\n");
});

function fillUp(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(4_096));
  } catch {
    // The disk is full now.
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
    rmSync(probe, { recursive: true, force: true, maxRetries: 5 });
  }
}
