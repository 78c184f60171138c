import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { readHistory } from "../../src/keeper/history.ts";
import type { KeeperSpec } from "../../src/keeper/keeper-spec.ts";
import { parseRunRecord } from "../../src/keeper/run-record.ts";
import { RunPublisher } from "../../src/keeper/run-publisher.ts";

let home: string;
let spec: KeeperSpec;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lk-publisher-"));
  const place = { runRecordPath: join(home, "dev.json"), eventsPath: join(home, "events.jsonl") };
  spec = { ...place, profile: "dev", host: "127.0.0.1", port: 20_000, ports: {} } as unknown as KeeperSpec;
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

const published = (): unknown => parseRunRecord(readFileSync(spec.runRecordPath, "utf8"));

test("a disk without room for a second file still gets the record, in place of the last one", () => {
  const publisher = new RunPublisher(spec, "0123456789abcdef0123456789abcdef");
  publisher.publish({ state: "starting", reason: "a long reason ".repeat(20) });
  // A blocked temp file stands in for the full disk.
  mkdirSync(`${spec.runRecordPath}.tmp`);
  publisher.publish({ state: "running" });
  expect(published()).toMatchObject({ state: "running", reason: null });
  expect(readdirSync(home).sort()).toEqual(["dev.json", "events.jsonl"]);
});

test("a first record that cannot be written is written as soon as possible", () => {
  const runRecordPath = join(home, "run", "dev.json");
  const publisher = new RunPublisher({ ...spec, runRecordPath }, "0123456789abcdef0123456789abcdef");
  publisher.publish({ state: "running" });
  mkdirSync(join(home, "run"));
  publisher.settle();
  expect(parseRunRecord(readFileSync(runRecordPath, "utf8"))).toMatchObject({ state: "running" });
});

test("a removed or replaced record is written again; an intact one is left alone", () => {
  const publisher = new RunPublisher(spec, "0123456789abcdef0123456789abcdef");
  publisher.publish({ state: "running" });
  const written = statSync(spec.runRecordPath).ino;
  publisher.settle();
  expect(statSync(spec.runRecordPath).ino).toBe(written);
  rmSync(spec.runRecordPath);
  publisher.settle();
  expect(published()).toMatchObject({ state: "running" });
  const other = join(home, "other");
  writeFileSync(other, "{}");
  renameSync(other, spec.runRecordPath);
  publisher.settle();
  expect(published()).toMatchObject({ state: "running" });
  expect(readFileSync(spec.eventsPath, "utf8").trim().split("\n")).toHaveLength(1);
});

test("history that a disk refused is written with the next look, whole and once", () => {
  const eventsPath = join(home, "logs", "events.jsonl");
  const publisher = new RunPublisher({ ...spec, eventsPath }, "0123456789abcdef0123456789abcdef");
  publisher.publish({ state: "starting", reason: "exited with code 3" });
  publisher.remark("its output was cut");
  mkdirSync(join(home, "logs"));
  publisher.settle();
  publisher.settle();
  const told = readHistory(eventsPath).map(({ state, reason }) => [state, reason]);
  expect(told).toEqual([
    ["starting", "exited with code 3"],
    ["starting", "its output was cut"],
  ]);
});
