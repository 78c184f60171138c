/**
 * Says whether a living process belongs to one run of one profile: by the profile's lock, which only the kernel grants, or by
 * the run's marks in its environment. A record names processes; this file asks the host whether the record is true. Changes
 * nothing. Linux only: elsewhere it can be neither proved nor excluded.
 */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

import { holdsOneOf, lockablesIn } from "./lock-holders.ts";
import { findLockSockets } from "./lock-socket.ts";
import { readProcEnvironment, readProcStat, threadThatShows } from "./proc.ts";

/** The variable by which a process that left the group is still known as part of a run. */
export const RUN_VARIABLE = "LOCKKEEPER_RUN";

/** One run, as its processes carry it in their environment. */
export interface RunMarks {
  readonly nonce: string;
  /** Checked together with `home`, when the run has them, because a copied record has the nonce of the original. */
  readonly profile?: string | undefined;
  readonly home?: string | undefined;
}

/** The run that a process must be part of. */
export interface RunBond extends RunMarks {
  /** The directory of the profile's locks. */
  readonly lockDir: string;
  /** The gateway named by the lock's record, for the case that the kernel says the lock is held and shows no holder. */
  readonly heldFor?: { readonly pid: number; readonly startTicks: number | null } | undefined;
  /** Says whether that process holds a lock of this profile whose file is no longer in the directory. */
  readonly holdsDisplaced?: ((pid: number) => boolean) | undefined;
}

/**
 * `holder`: the process itself holds the profile's lock. `member`: one of its ancestors does, or its environment carries the
 * run. `hidden`: the host does not show the evidence.
 */
export type Standing = "holder" | "member" | "hidden" | "stranger";

/** Says how the living process `pid` belongs to the run. */
export function standingOf(pid: number, run: RunBond): Standing {
  if (process.platform !== "linux") return "hidden";
  const locks = lockablesIn(run.lockDir);
  const shown = threadThatShows(pid);
  const own = holdsOneOf(shown, locks);
  if (own === "yes" || holdsSocketOf(shown, run.lockDir)) return "holder";
  if (carriesRun(shown, run)) return "member";
  if (run.holdsDisplaced?.(pid) === true) return "holder";
  if (ancestorsOf(pid).some((ancestor) => ancestor > 1 && holdsOneOf(ancestor, locks) === "yes")) return "member";
  return own === "hidden" ? "hidden" : "stranger";
}

/** Says whether the environment of process `pid` names this very run, and its profile and home where the run has them. */
export function carriesRun(pid: number, { nonce, profile, home }: RunMarks): boolean {
  if (nonce === "" || readProcessVariable(pid, RUN_VARIABLE) !== nonce) return false;
  if (profile !== undefined && readProcessVariable(pid, "LOCKKEEPER_PROFILE") !== profile) return false;
  return home === undefined || isSameHome(pid, readProcessVariable(pid, "LOCKKEEPER_HOME"), home);
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

/**
 * Returns `the gateway of profile dev of /home/ann/.lockkeeper` for a process of any run; undefined for any other or hidden
 * one.
 */
export function describeRunOf(pid: number): string | undefined {
  if (readRunNonce(pid) === undefined) return undefined;
  const home = readProcessVariable(pid, "LOCKKEEPER_HOME");
  const name = readProcessVariable(pid, "LOCKKEEPER_PROFILE") ?? "unknown";
  return `the gateway of profile ${name}${home === undefined ? "" : ` of ${home}`}`;
}

/** Returns the nonce of the run that process `pid` was started in; undefined when there is none or it is not visible. */
export function readRunNonce(pid: number): string | undefined {
  return readProcessVariable(pid, RUN_VARIABLE);
}

/** Returns the pids of the process's ancestors, nearest first, as far as they are visible. */
export function ancestorsOf(pid: number): readonly number[] {
  const found: number[] = [];
  for (let next = parentOf(pid); next > 0 && !found.includes(next); next = parentOf(next)) found.push(next);
  return found;
}

function parentOf(pid: number): number {
  try {
    return readProcStat(pid).parent;
  } catch {
    return pid === process.pid ? process.ppid : 0;
  }
}

/** By inode, as the process sees it: in a container the home may have another path. */
function isSameHome(pid: number, named: string | undefined, home: string): boolean {
  if (named === undefined) return false;
  try {
    const [theirs, ours] = [`/proc/${pid}/root${named}`, home].map((path) => statSync(path, { bigint: true }));
    return theirs?.ino === ours?.ino && theirs?.dev === ours?.dev;
  } catch {
    return false;
  }
}

/** The lock's fallback is a socket: its holder is the process that has it among its descriptors. */
function holdsSocketOf(pid: number, lockDir: string): boolean {
  try {
    const sockets = readdirSync(lockDir).flatMap((name) => findLockSockets(join(lockDir, name)));
    if (sockets.length === 0) return false;
    return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.includes(linkOf(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
