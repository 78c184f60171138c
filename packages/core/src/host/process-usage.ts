/**
 * What trees of processes use: memory now, and processor time since they started. One pass over /proc answers for any number
 * of trees; a tree that was read before is read again by its own files alone. Linux only; elsewhere nothing is known. For live
 * views and limits.
 */
import { listProcessIds, readStatFields } from "./proc.ts";

/** What one tree uses. */
export interface ProcessUsage {
  /** Resident memory of all its processes; pages that they share are counted in each. */
  readonly residentBytes: number;
  /** Processor time of its living processes since they started, user and system. */
  readonly cpuMs: number;
  /** Each process of it. */
  readonly processes: readonly UsedProcess[];
}

/** One process of a tree. */
export interface UsedProcess {
  readonly pid: number;
  readonly residentBytes: number;
  /** Since boot: tells it from a later process with the same id. */
  readonly startTicks: number;
}

interface UsageEntry {
  readonly parent: number;
  readonly session: number;
  readonly residentPages: number;
  readonly ticks: number;
  readonly startTicks: number;
}

/** Source: proc_pid_stat(5); USER_HZ is 100 on every architecture that Node runs on. */
const MS_PER_TICK = 10;
/** Source: getconf PAGESIZE; on arm64 with larger pages the figure would be too small. */
const PAGE_BYTES = 4096;

/**
 * Returns the usage of the tree below each of `roots`, the root included; a root that does not live is absent. When a root
 * leads a session, the whole session counts: a process that lost its parent is still part of it.
 */
export function readProcessUsage(roots: readonly number[]): ReadonlyMap<number, ProcessUsage> {
  const found = new Map<number, ProcessUsage>();
  if (process.platform !== "linux" || roots.length === 0) return found;
  const table = readTable();
  const children = new Map<number, number[]>();
  const wanted = new Set(roots);
  for (const [pid, { parent, session }] of table) {
    // A process that lost its parent is listed below the leader of its session, if that leader is a root.
    const isLost = pid !== session && wanted.has(session) && table.get(parent)?.session !== session;
    const above = isLost ? session : parent;
    const siblings = children.get(above);
    if (siblings === undefined) children.set(above, [pid]);
    else siblings.push(pid);
  }
  for (const root of roots) {
    if (!table.has(root)) continue;
    const members = [root];
    // The list grows during the walk; every pid has one parent, so the walk ends.
    for (const pid of members) members.push(...(children.get(pid) ?? []));
    found.set(root, summed(members, table));
  }
  return found;
}

/**
 * Reads the same processes again. Undefined when one of them has ended: then the tree must be read anew. A process that the
 * tree has got since is not seen.
 */
export function readUsageAgain({ processes }: ProcessUsage): ProcessUsage | undefined {
  const table = new Map<number, UsageEntry>();
  for (const { pid, startTicks } of processes) {
    const entry = readEntry(pid);
    if (entry?.startTicks !== startTicks) return undefined;
    table.set(pid, entry);
  }
  return summed([...table.keys()], table);
}

function summed(members: readonly number[], table: ReadonlyMap<number, UsageEntry>): ProcessUsage {
  let [pages, ticks] = [0, 0];
  const processes: UsedProcess[] = [];
  for (const pid of members) {
    const entry = table.get(pid);
    if (entry === undefined) continue;
    pages += entry.residentPages;
    ticks += entry.ticks;
    processes.push({ pid, residentBytes: entry.residentPages * PAGE_BYTES, startTicks: entry.startTicks });
  }
  return { residentBytes: pages * PAGE_BYTES, cpuMs: ticks * MS_PER_TICK, processes };
}

function readTable(): ReadonlyMap<number, UsageEntry> {
  const table = new Map<number, UsageEntry>();
  for (const pid of listProcessIds()) {
    const entry = readEntry(pid);
    if (entry !== undefined) table.set(pid, entry);
  }
  return table;
}

/** Undefined when the process has ended. */
function readEntry(pid: number): UsageEntry | undefined {
  try {
    const fields = readStatFields(pid);
    const ticks = Number(fields[11]) + Number(fields[12]);
    const [parent, session] = [Number(fields[1]), Number(fields[3])];
    return { parent, session, residentPages: Number(fields[21]), ticks, startTicks: Number(fields[19]) };
  } catch {
    return undefined;
  }
}
