/**
 * Publishes a keeper's state: the run record for all readers, one line of history per change, and a call to the keeper's own
 * callback. Only while the profile's lock is held. A failing disk never stops the keeper: the latest state stays in memory and
 * is written at the next change or the next {@link RunPublisher.settle}.
 */
import * as fs from "node:fs";

import { errnoOf, isForeseen, LockkeeperError } from "../errors.ts";
import { judgeProcess, ownIdentity } from "../host/process-identity.ts";
import { readIfPresentSync } from "../storage/small-file.ts";
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

/** The fields that change with a state. A new state without a reason or code has none. */
export type RunChange = Partial<Omit<RunRecord, "v" | "profile" | "since">>;

/** The part of an event about an ended gateway. */
type Remains = Pick<HistoryEvent, "memoryBytes" | "output">;

/** How many lines of history wait for a failing disk; older ones are dropped. */
const MAX_PENDING_LINES = 100;

/** A keeper's present record, and the way to change it. */
export class RunPublisher {
  /** The last record of the previous run: its leftovers still belong to this profile. */
  readonly earlier: RunRecord | undefined;
  readonly #spec: KeeperSpec;
  #record: RunRecord;
  /** Identifies the file with the present record; undefined while it could not be written. */
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
      ...(spec.supervised ? { supervised: true } : {}),
      ...(spec.settings === undefined ? {} : { settings: spec.settings }),
      ...(spec.told === undefined ? {} : { told: spec.told }),
    };
  }

  get record(): RunRecord {
    return this.#record;
  }

  /** On return the change is visible to all readers, or will be as soon as the disk allows. */
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

  /** Lists `spared` from the next change on, besides earlier spared processes that still live. */
  addSpared(spared: readonly SparedProcess[]): void {
    if (spared.length === 0) return;
    const others = (stillSpared(this.#record).spared ?? []).filter(
      ({ pid }) => !spared.some((each) => each.pid === pid),
    );
    this.#record = { ...this.#record, spared: [...others, ...spared] };
  }

  /** Lists the sockets of other processes that this run started, besides earlier ones, as long as they listen. */
  noteOutside(found: readonly OutsideSocket[]): void {
    const { outside: before = [], ...record } = this.#record;
    const others = before.filter((each) => !found.some(({ socket }) => socket === each.socket));
    const outside = stillListening([...others, ...found]);
    if (outside.length === 0 && before.length === 0) return;
    this.#record = outside.length === 0 ? record : { ...record, outside };
    if (outside.length !== before.length || others.length > 0) this.#written = undefined;
  }

  /** Adds a fact to the history; the state and its reason stay what they are. */
  remark(fact: string): void {
    this.#note(new Date().toISOString(), fact, null);
    this.settle();
  }

  /** Adds the end of a run whose lock is lost to the history. The record may be another owner's by now, and is left alone. */
  noteLoss(reason: string): void {
    const { gateway, restarts } = this.#record;
    const at = new Date().toISOString();
    const pid = gateway?.pid ?? null;
    const event = {
      at,
      state: "failed",
      reason,
      code: "LOCK_LOST",
      pid,
      keeperPid: process.pid,
      restarts,
      exit: null,
    } as const;
    try {
      appendHistory(this.#spec.eventsPath, formatHistoryEvent(event));
    } catch (error) {
      if (!isForeseen(error)) throw error;
    }
  }

  /** Facts about an ended gateway; they go into the history with the change that reports its end. */
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

  /** Writes anything that could not be written before, and the record again when its file was removed or replaced. */
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
      if (!isForeseen(error)) throw error;
    }
  }
}

/** Processes spared by an earlier run stay listed while they live. */
function stillSpared(earlier: RunRecord | undefined): Pick<RunRecord, "spared"> {
  const spared = (earlier?.spared ?? []).filter((each) => judgeProcess(each) !== "gone");
  return spared.length === 0 ? {} : { spared };
}

/** The same for sockets outside of the run, while they listen. */
function stillOutside(earlier: RunRecord | undefined): Pick<RunRecord, "outside"> {
  const outside = stillListening(earlier?.outside);
  return outside.length === 0 ? {} : { outside };
}

/** Distinguishes two files at the same path: a freed inode may be reused at once, but not at the same time. */
function stampOf(path: string): string | undefined {
  const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.ino} ${stats.ctimeNs}`;
}

/** A damaged record, or something else in its place, must not prevent a start: it is about to be replaced. */
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
 * Every reader sees the old content or the new one, but the write is not durable: after a power cut the boot id makes every
 * record stale, so an fsync (milliseconds before "ready") would be useless. The temp name is fixed because there is only one
 * writer, the lock's holder: the file of a killed one is overwritten.
 */
function replaceVolatile(path: string, text: string): void {
  const temp = `${path}.tmp`;
  try {
    const fd = createAnew(temp);
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

/** A killed writer may have left the file, which is rare: it is removed only when it is in the way. */
function createAnew(path: string): number {
  try {
    return createFile(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    fs.rmSync(path, { force: true });
    return createFile(path);
  }
}

/**
 * Overwrites the blocks of the last record when the disk is full: a reader may then see half of both for a moment, which does
 * not count as a record. False when there is no last record.
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
