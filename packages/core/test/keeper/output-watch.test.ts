/** A start is woken by what its gateway writes, and goes by the clock where the log cannot be watched. */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OutputWatch } from "../../src/keeper/output-watch.ts";

/** Longer than a test may take: a pause that lasts so long was not ended by anything. */
const FOR_EVER_MS = 600_000;
const NEVER = new AbortController().signal;

let folder: string;
let log: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "lockkeeper-output-"));
  log = path.join(folder, "gateway.log");
  await writeFile(log, "");
});
afterEach(() => rm(folder, { recursive: true }));

describe("a watch over a log", () => {
  test("ends a pause when something is written, each time", async (context) => {
    const output = new OutputWatch(log);
    context.skip(!output.works, "this user has no watcher of files left");
    try {
      for (const line of ["first\n", "second\n"]) {
        const over = output.pause(0, FOR_EVER_MS, NEVER);
        await appendFile(log, line);
        await expect(over).resolves.toBe(true);
      }
    } finally {
      output.close();
    }
  });

  test("ends a pause when its start is over", async () => {
    const output = new OutputWatch(log);
    const over = new AbortController();
    const paused = output.pause(FOR_EVER_MS, FOR_EVER_MS, over.signal);
    over.abort();
    await expect(paused).resolves.toBe(false);
    output.close();
    output.close();
  });

  test("goes by the clock alone where there is no log to watch", async () => {
    const output = new OutputWatch(path.join(folder, "missing.log"));
    expect(output.works).toBe(false);
    await expect(output.pause(1, 2, NEVER)).resolves.toBe(false);
    output.close();
  });
});
