/**
 * Which living processes belong to one run of a gateway: the process group of its leader, everything that carries the
 * run's nonce in its environment, and their descendants. One pass over /proc answers for the whole tree.
 * Invariants: a group counts only while its leader is verified; a pid alone never counts; the asking process is never
 * part of the answer. For the keeper and for whoever stops an orphan.
 */
import { execFileSync } from "node:child_process";

import type { ProcStat } from "./proc.ts";
import { listProcessIds, readProcEnvironment, readProcStat } from "./proc.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { identifyProcess, ownIdentity, sameProcess } from "./process-identity.ts";

/** The variable by which a process that left the group is still known as ours. */
export const RUN_VARIABLE = "LOCKKEEPER_RUN";

/** By what the processes of a run are known. */
export interface ProcessTreeQuery {
  /** The process that was started in a group of its own; null when its identity was never learned. */
  readonly leader: ProcessIdentity | null;
  readonly nonce: string;
  /** Members found by an earlier query: they and their descendants still count after the leader has gone. */
  readonly known?: readonly ProcessIdentity[];
}

/** A living member of a run. */
export interface RunProcess extends ProcessIdentity {
  /** Is it in the process group of the (verified, living) leader? */
  readonly inGroup: boolean;
}

/** One line of the host's process table. Who has ended still vouches for its group, but is not alive. */
interface TableEntry extends Omit<ProcStat, "startTicks"> {
  readonly pid: number;
  readonly startTicks: number | null;
}

/** Returns the living processes of a run, leader included, in the order of their pids. Empty: nothing of it is left. */
export function findRunProcesses(query: ProcessTreeQuery): readonly RunProcess[] {
  const table = readProcessTable();
  const members = new Set<number>();
  for (const identity of [...(query.leader === null ? [] : [query.leader]), ...(query.known ?? [])]) {
    const entry = table.get(identity.pid);
    if (entry !== undefined && isSame(entry, identity)) members.add(entry.pid);
  }
  const group = query.leader !== null && members.has(query.leader.pid) ? query.leader.pid : undefined;
  for (const entry of table.values()) {
    if (entry.group === group || (mayBelong(entry, query) && readRunNonce(entry.pid) === query.nonce)) {
      members.add(entry.pid);
    }
  }
  addDescendants(members, table);
  const living: RunProcess[] = [];
  for (const pid of [...members].sort((a, b) => a - b)) {
    const entry = table.get(pid);
    if (entry === undefined || entry.ended || pid === process.pid) continue;
    const identity = identifyProcess(pid);
    if (identity !== undefined && isSame(entry, identity)) living.push({ ...identity, inGroup: entry.group === group });
  }
  return living;
}

/** Returns the value of one variable in the environment that process `pid` was started with; undefined when unset or not visible. */
export function readProcessVariable(pid: number, name: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  const prefix = `${name}=`;
  try {
    return readProcEnvironment(pid)
      .find((entry) => entry.startsWith(prefix))
      ?.slice(prefix.length);
  } catch {
    return undefined;
  }
}

/** Returns the nonce of the run that process `pid` was started in; undefined when there is none, or it is not visible. */
export function readRunNonce(pid: number): string | undefined {
  return readProcessVariable(pid, RUN_VARIABLE);
}

/** Nothing that started before the leader can be its child: that spares most of the host's environments a read. */
function mayBelong(entry: TableEntry, { leader, nonce }: ProcessTreeQuery): boolean {
  if (nonce === "" || entry.ended) return false;
  const from = leader === null || leader.bootId !== ownIdentity().bootId ? null : leader.startTicks;
  return from === null || entry.startTicks === null || entry.startTicks >= from;
}

function addDescendants(members: Set<number>, table: ReadonlyMap<number, TableEntry>): void {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of table.values()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  // A Set visits what is added during the walk.
  for (const pid of members) for (const child of children.get(pid) ?? []) members.add(child);
}

function isSame(entry: TableEntry, identity: ProcessIdentity): boolean {
  if (entry.startTicks === null) return entry.pid === identity.pid;
  return sameProcess({ ...ownIdentity(), pid: entry.pid, startTicks: entry.startTicks }, identity);
}

function readProcessTable(): ReadonlyMap<number, TableEntry> {
  return process.platform === "linux" ? readProc() : readPs();
}

function readProc(): ReadonlyMap<number, TableEntry> {
  const table = new Map<number, TableEntry>();
  for (const pid of listProcessIds()) {
    try {
      table.set(pid, { pid, ...readProcStat(pid) });
    } catch {
      // Gone, or hidden from us.
    }
  }
  return table;
}

/** macOS, untested: group and ancestry only, since ps shows no start ticks and no foreign environment. */
function readPs(): ReadonlyMap<number, TableEntry> {
  const table = new Map<number, TableEntry>();
  const output = execFileSync("/bin/ps", ["-axo", "pid=,ppid=,pgid=,stat="], { encoding: "latin1", timeout: 2_000 });
  for (const line of output.split("\n")) {
    const [pid, parent, group, state = ""] = line.trim().split(/\s+/);
    if (pid === undefined || pid === "") continue;
    table.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      startTicks: null,
      ended: state.startsWith("Z"),
    });
  }
  return table;
}
