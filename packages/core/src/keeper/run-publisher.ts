/**
 * Publishes what a keeper knows: the run record for everybody who looks, one line of history per change, and the
 * keeper's own listener. Only while the profile's lock is held. A disk that refuses never stops the keeper: the latest
 * state stays in memory and is written at the next change or the next {@link RunPublisher.settle}.
 */
import * as fs from "node:fs";

import { errnoOf, LockkeeperError } from "../errors.ts";
import { judgeProcess, ownIdentity } from "../host/process-identity.ts";
import { readIfPresentSync } from "../storage/durable-file.ts";
import { createFile, openFile } from "../storage/private-file.ts";
import type { HistoryEvent } from "./history.ts";
import { appendHistory, formatHistoryEvent } from "./history.ts";
import type { KeeperSpec } from "./keeper-spec.ts";
import { stillListening } from "./outside-sockets.ts";
import type { OutsideSocket } from "./outside-sockets.ts";
import type { GatewayExit, RunRecord } from "./run-record.ts";
import { formatRunRecord, parseRunRecord } from "./run-record.ts";
import type { SparedProcess } from "./sparing.ts";
import { NEVER_UNWELL, wellBeingAfter } from "./well-being.ts";

/** What changes with a state. A new state without a reason or code of its own has none. */
export type RunChange = Partial<Omit<RunRecord, "v" | "profile" | "since">>;

/** The part of an event that tells what remains of a gateway. */
type Remains = Pick<HistoryEvent, "memoryBytes" | "output">;

/** History that waits for a disk; older lines give way. */
const MAX_PENDING_LINES = 100;

/** One per keeper: its present record, and the way to change it. */
export class RunPublisher {
  /** What the run before this one published last: its leftovers are still this profile's. */
  readonly earlier: RunRecord | undefined;
  readonly #spec: KeeperSpec;
  #record: RunRecord;
  /** Marks the file that holds the present record; undefined while that could not be written yet. */
  #written: string | undefined;
  #pendingHistory: string[] = [];
  #remains: Remains = {};

  /** `nonce` is the lock's; nothing is published yet. */
  constructor(spec: KeeperSpec, nonce: string) {
    this.#spec = spec;
    this.earlier = readEarlierRun(spec.runRecordPath);
    this.#record = {
      v: 1,
      profile: spec.profile,
      nonce,
      kind: spec.kind,
      state: "stopped",
      reason: null,
      code: null,
      since: new Date().toISOString(),
      keeper: ownIdentity(),
      gateway: null,
      host: spec.host,
      port: spec.port,
      ports: spec.ports,
      startedAt: null,
      health: "unknown",
      restarts: 0,
      lastExit: this.earlier?.lastExit ?? null,
      ...NEVER_UNWELL,
      lastUnhealthyAt: this.earlier?.lastUnhealthyAt ?? null,
      downSince: this.earlier?.downSince ?? null,
      ...stillSpared(this.earlier),
      ...stillOutside(this.earlier),
      ...(spec.stopRequestPath === undefined ? {} : { stopTimeoutMs: spec.stopTimeoutMs }),
      ...(spec.stays === true ? { stays: true } : {}),
      ...(spec.settings === undefined ? {} : { settings: spec.settings }),
    };
  }

  get record(): RunRecord {
    return this.#record;
  }

  /** On return the change is what everybody sees, or will be as soon as the disk allows. */
  publish(change: RunChange, exit: GatewayExit | null = null): void {
    const before = this.#record;
    const at = new Date().toISOString();
    const entered = change.state !== undefined && change.state !== before.state;
    this.#record = {
      ...before,
      ...(entered ? { reason: null, code: null, since: at } : {}),
      ...change,
    };
    const { healthySince = null, lastUnhealthyAt = null, downSince = null } = before;
    const wellBeing = wellBeingAfter({ healthySince, lastUnhealthyAt, downSince }, this.#record.state, exit, at);
    this.#record = { ...this.#record, ...wellBeing };
    this.#note(at, this.#record.reason, exit);
    this.#written = undefined;
    this.settle();
    this.#spec.report?.(this.#record);
  }

  /** Lists `spared` from the next change on, beside what was left alone before and still lives. */
  addSpared(spared: readonly SparedProcess[]): void {
    if (spared.length === 0) return;
    const others = (stillSpared(this.#record).spared ?? []).filter(
      ({ pid }) => !spared.some((each) => each.pid === pid),
    );
    this.#record = { ...this.#record, spared: [...others, ...spared] };
  }

  /** Lists the sockets that this run leaves to others from the next change on. */
  noteOutside(outside: readonly OutsideSocket[]): void {
    if (outside.length > 0) this.#record = { ...this.#record, outside };
  }

  /** Adds a fact to the history; the state and its reason stay what they are. */
  remark(fact: string): void {
    this.#note(new Date().toISOString(), fact, null);
    this.settle();
  }

  /** What remains of a gateway that has ended: goes into the history with the change that tells of its end. */
  addRemains(remains: Remains): void {
    this.#remains = remains;
  }

  #note(at: string, reason: string | null, exit: GatewayExit | null): void {
    const { state, code, gateway, restarts } = this.#record;
    const pid = gateway?.pid ?? null;
    const event = { at, state, reason, code, pid, keeperPid: process.pid, restarts, exit };
    const line = formatHistoryEvent(exit === null ? event : { ...event, ...this.#remains });
    if (exit !== null) this.#remains = {};
    this.#pendingHistory = [...this.#pendingHistory, line].slice(-MAX_PENDING_LINES);
  }

  /** Writes what could not be written before, and the record again when its file was removed or replaced since. */
  settle(): void {
    const { runRecordPath } = this.#spec;
    try {
      if (this.#written === undefined || this.#written !== stampOf(runRecordPath)) {
        replaceVolatile(runRecordPath, formatRunRecord(this.#record));
        this.#written = stampOf(runRecordPath);
      }
      if (this.#pendingHistory.length > 0) appendHistory(this.#spec.eventsPath, this.#pendingHistory.join(""));
      this.#pendingHistory = [];
    } catch (error) {
      if (!(error instanceof LockkeeperError) && errnoOf(error) === undefined) throw error;
    }
  }
}

/** What an earlier run has left alone goes on being listed while it lives. */
function stillSpared(earlier: RunRecord | undefined): Pick<RunRecord, "spared"> {
  const spared = (earlier?.spared ?? []).filter((each) => judgeProcess(each) !== "gone");
  return spared.length === 0 ? {} : { spared };
}

/** And so does what it handed its work to, while that listens. */
function stillOutside(earlier: RunRecord | undefined): Pick<RunRecord, "outside"> {
  const outside = stillListening(earlier?.outside);
  return outside.length === 0 ? {} : { outside };
}

/** Tells one file from the next at the same path: a freed inode may be used again at once, but not in the same instant. */
function stampOf(path: string): string | undefined {
  const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.ino} ${stats.ctimeNs}`;
}

/** A damaged record, or something else in its place, is no reason not to start: it is about to be replaced. */
export function readEarlierRun(path: string): RunRecord | undefined {
  try {
    const text = readIfPresentSync(path);
    return text === undefined ? undefined : parseRunRecord(text);
  } catch (error) {
    if (error instanceof LockkeeperError) return undefined;
    throw error;
  }
}

/**
 * Old content or new, for every reader at every moment, but not durable: after a power cut the boot id makes every
 * record stale whatever it says, so an fsync (milliseconds on the way to ready) would buy nothing. The temp name is
 * fixed because there is one writer, the lock's holder: what a killed one left is overwritten.
 */
function replaceVolatile(path: string, text: string): void {
  const temp = `${path}.tmp`;
  try {
    fs.rmSync(temp, { force: true });
    const fd = createFile(temp);
    try {
      fs.writeFileSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temp, path);
  } catch (error) {
    if (!overwrite(path, text)) throw error;
    fs.rmSync(temp, { force: true, recursive: true });
  }
}

/**
 * Writes into the blocks that the last record has, for a disk that has no other left: a reader may then see half of
 * both for a moment, and takes that for no record. False when there is none.
 */
function overwrite(path: string, text: string): boolean {
  const fd = openFile(path, "overwrite");
  if (fd === undefined) return false;
  try {
    const written = fs.writeSync(fd, text, 0);
    fs.ftruncateSync(fd, written);
    return written === Buffer.byteLength(text);
  } finally {
    fs.closeSync(fd);
  }
}
