/**
 * Decides which processes the end of a run spares: those that were started inside a gateway but belong to people, such as a
 * tmux server. They have a separate session, in which no process holds the profile's lock or listens on a port of its block. A
 * session is spared or ended as a whole.
 */
import { holdsOneOf, lockablesIn } from "../host/lock-holders.ts";
import { hostUptimeMs, readProcessName } from "../host/proc.ts";
import type { ProcessIdentity } from "../host/process-identity.ts";
import type { RunProcess } from "../host/process-tree.ts";
import { findHolders, readListeners } from "../host/sockets.ts";

/** How to distinguish a run's own processes from those that are spared. */
export interface Sparing {
  readonly lockDir: string;
  /** Pids of the gateway processes of this run, the earlier ones too: each led a session of its own. */
  readonly sessions: readonly number[];
  /** The profile's block of ports, both ends included. */
  readonly block: PortBlock;
}

/** Ports from `first` to `last`, both included. */
export interface PortBlock {
  readonly first: number;
  readonly last: number;
}

/** A spared process, as in the run record. */
export interface SparedProcess extends ProcessIdentity {
  /** The name of its program, for display. */
  readonly name: string;
}

/** The processes of a run, in two groups. */
export interface ToldApart {
  readonly own: readonly RunProcess[];
  readonly spared: readonly SparedProcess[];
}

/** A record is read often, so it does not list a thousand processes. */
const MOST_NAMED = 100;

/** Source: `getconf CLK_TCK`, which is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/**
 * Divides `members` into the two groups. Without `sparing` all are the gateway's own; those in `never` always are.
 *
 * @param never processes that always count as the gateway's own, because they inherited the lock.
 */
export function tellApart(
  members: readonly RunProcess[],
  sparing: Sparing | undefined,
  never: readonly ProcessIdentity[] = [],
): ToldApart {
  const own = new Set<number | null>([null, ...(sparing?.sessions ?? [])]);
  const strange = members.filter(({ session, inGroup }) => !inGroup && !own.has(session));
  if (sparing === undefined || strange.length === 0) return { own: members, spared: [] };
  for (const { session } of strange.filter((member) => never.some(({ pid }) => pid === member.pid))) own.add(session);
  const files = lockablesIn(sparing.lockDir);
  const listening = listenersIn(sparing.block, strange);
  for (const { pid, session } of strange) {
    // A process that cannot be inspected is not known to be harmless.
    if (!own.has(session) && (listening.has(pid) || holdsOneOf(pid, files) !== "no")) own.add(session);
  }
  const spared = strange.filter(({ session }) => !own.has(session));
  const pids = new Set(spared.map(({ pid }) => pid));
  return {
    own: members.filter(({ pid }) => !pids.has(pid)),
    spared: spared.slice(0, MOST_NAMED).map(({ pid, startTicks, bootId, pidNamespace }) => ({
      pid,
      startTicks,
      bootId,
      pidNamespace,
      name: nameOf(pid),
    })),
  };
}

/** Names spared processes for display: each program with its pids. */
export function describeSpared(spared: readonly SparedProcess[]): string {
  const byName = new Map<string, number[]>();
  for (const { name, pid } of spared) byName.set(name, [...(byName.get(name) ?? []), pid]);
  return [...byName].map(([name, pids]) => `${name} (pid ${pids.join(", ")})`).join(", ");
}

/** Returns the age of the process in milliseconds; 0 when unknown. */
export function ageOf({ startTicks }: ProcessIdentity): number {
  return startTicks === null ? 0 : Math.max(0, hostUptimeMs() - startTicks * TICK_MS);
}

function listenersIn({ first, last }: PortBlock, members: readonly RunProcess[]): ReadonlySet<number> {
  const listeners = readListeners();
  if (listeners === "unknown") return new Set(members.map(({ pid }) => pid));
  const ofBlock = listeners.filter(({ port }) => port >= first && port <= last);
  const found = new Set<number>();
  // One process at a time, because several may hold one socket and each of them listens.
  for (const { pid } of members) if (findHolders(ofBlock, { among: [pid] }).size > 0) found.add(pid);
  return found;
}

function nameOf(pid: number): string {
  try {
    return readProcessName(pid);
  } catch {
    return "a process";
  }
}
