/**
 * Which living processes belong to one run of a gateway: the process group of its leader, everything that carries the
 * run's nonce in its environment, and their descendants. One pass over /proc answers for the whole tree.
 * Invariants: a group counts only while its leader is verified; a pid alone never counts; the asking process is never
 * part of the answer. For the keeper and for whoever stops an orphan.
 */
import { execFileSync } from "node:child_process";

import type { ProcStat } from "./proc.ts";
import { listProcessIds, readProcStat } from "./proc.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { identifyProcess, judgeProcess, ownIdentity, sameProcess } from "./process-identity.ts";
import type { RunMarks } from "./run-bond.ts";
import { ancestorsOf, carriesRun, readRunNonce } from "./run-bond.ts";

/** How the processes of a run are recognised. */
export interface ProcessTreeQuery extends RunMarks {
  /** The process that was started in a group of its own; null when its identity was never learned. */
  readonly leader: ProcessIdentity | null;
  /** Set where the leader is our own child: it lives until its end is reported, whatever the host shows. */
  readonly child?: OwnChild | undefined;
  /** Members found by an earlier query: they and their descendants still count after the leader has gone. */
  readonly known?: readonly ProcessIdentity[];
}

/** A child of this process. Until its end is reported, its pid cannot be another process's. */
export interface OwnChild {
  readonly pid: number;
  readonly hasEnded: () => boolean;
  /** Resolves when its end was reported; never rejects. Without it the end is looked for. */
  readonly ended?: Promise<unknown> | undefined;
}

/** A living member of a run. */
export interface RunProcess extends ProcessIdentity {
  /** Whether it is in the process group of the (verified, living) leader. */
  readonly inGroup: boolean;
  /** Id of its session; null where unknown. */
  readonly session: number | null;
}

/** One line of the host's process table. A zombie still proves that its group exists, but it is not alive. */
interface TableEntry extends Omit<ProcStat, "startTicks" | "session" | "isOwnId"> {
  readonly pid: number;
  readonly session: number | null;
  readonly startTicks: number | null;
}

/** Returns the living processes of a run, leader included, in the order of their pids. Empty: the run has ended. */
export function findRunProcesses(query: ProcessTreeQuery): readonly RunProcess[] {
  if (isKnownByItsMarksAlone(query) && !listProcessIds().some((pid) => carriesRun(pid, query))) return [];
  const table = readProcessTable();
  const members = new Set<number>();
  for (const identity of [...(query.leader === null ? [] : [query.leader]), ...(query.known ?? [])]) {
    const entry = table.get(identity.pid);
    if (entry !== undefined && isSame(entry, identity)) members.add(entry.pid);
  }
  const child = query.child !== undefined && !query.child.hasEnded() ? query.child : undefined;
  if (child !== undefined) members.add(child.pid);
  const group = child?.pid ?? (query.leader !== null && members.has(query.leader.pid) ? query.leader.pid : undefined);
  for (const entry of table.values()) {
    if (entry.group === group || (mayBelong(entry, query) && carriesRun(entry.pid, query))) {
      members.add(entry.pid);
    }
  }
  addDescendants(members, table);
  const living: RunProcess[] = [];
  for (const pid of [...members].sort((a, b) => a - b)) {
    const entry = table.get(pid);
    if (pid === child?.pid && (entry === undefined || entry.startTicks === null)) {
      const unseen = { ...ownIdentity(), startTicks: null };
      living.push({ ...(query.leader ?? unseen), pid, inGroup: true, session: pid });
      continue;
    }
    if (entry === undefined || entry.ended || pid === process.pid) continue;
    const identity = identifyProcess(pid);
    if (identity === undefined || !isSame(entry, identity)) continue;
    living.push({ ...identity, inGroup: entry.group === group, session: entry.session });
  }
  return living;
}

/** No process of the run is named: only marks in an environment can show one. Without any, nothing else of the host is read. */
function isKnownByItsMarksAlone({ leader, child, known = [] }: ProcessTreeQuery): boolean {
  return process.platform === "linux" && leader === null && child === undefined && known.length === 0;
}

/** Returns the nonces of all runs with a visible process, in one walk: for callers that ask about many runs. */
export function listVisibleRuns(): ReadonlySet<string> {
  if (process.platform !== "linux") return new Set();
  return new Set(listProcessIds().flatMap((pid) => readRunNonce(pid) ?? []));
}

/** Says whether this process is part of the run: it or an ancestor carries the run, is its leader or is in the leader's group. */
export function isInsideRun({ leader, ...marks }: ProcessTreeQuery): boolean {
  const group = leader !== null && judgeProcess(leader) === "alive" ? leader.pid : undefined;
  return [process.pid, ...ancestorsOf(process.pid)].some(
    (pid) => carriesRun(pid, marks) || (group !== undefined && (pid === group || isInGroup(pid, group))),
  );
}

function isInGroup(pid: number, group: number): boolean {
  try {
    return process.platform === "linux" && readProcStat(pid).group === group;
  } catch {
    return false;
  }
}

/** A process that started before the leader cannot be its child, so most of the host's environments need not be read. */
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
      // It has ended, or is hidden from us.
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
      session: null,
      startTicks: null,
      ended: state.startsWith("Z"),
      paused: state.startsWith("T"),
    });
  }
  return table;
}
