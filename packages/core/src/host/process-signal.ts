/**
 * The only file that sends signals, and the one rule for who may be signalled. A signal goes only to a process that was
 * verified to be the intended one: never to a bare pid, to ourselves or to our own process group. pid 1 and our own ancestors
 * are signalled only when they hold the lock of the profile in question, whatever a record says. Between the check and the
 * signal a pid could in theory be reused; the system offers Node nothing closer.
 */
import { errnoOf } from "../errors.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { listProcessIds, readProcStat } from "./proc.ts";
import { identifyProcess, judgeProcess } from "./process-identity.ts";
import type { OwnChild } from "./process-tree.ts";
import type { RunBond } from "./run-bond.ts";
import { ancestorsOf, readRunNonce, standingOf } from "./run-bond.ts";

/** `refused`: the identity is unknown, does not match, or names a process that must never be signalled. Nothing was sent. */
export type SignalOutcome = "sent" | "gone" | "refused";

/** Evidence, beyond the identity, that a signal is right. */
export interface SignalGrounds {
  /** It holds the lock of the profile that is acted on: then it may be pid 1 or an ancestor of ours. @default false */
  readonly holdsLock?: boolean;
  /** It is this child of ours: its pid is its own until its end is reported, even where the host hides it. */
  readonly child?: OwnChild | undefined;
}

/**
 * The rule: whether a process that a record names may be ended as part of the run `run`. It must live, and the kernel must say
 * that it belongs to the run: by the profile's lock, or by run, profile and home in its environment. For callers that act on a
 * record; a keeper knows its own child without asking.
 *
 * `holder`: yes, and it holds the lock itself. `member`: yes. `gone`: it does not live. `no`: it is another's, or cannot be
 * told apart from another's, or its end would be ours.
 */
export function mayBeSignalled(identity: ProcessIdentity, run: RunBond): "holder" | "member" | "gone" | "no" {
  const bond = bondOf(identity, run);
  return bond === "member" && isUntouchable(identity.pid) ? "no" : bond;
}

/** The same rule without regard to the asking process: for callers that hand the signal over to a process outside the run. */
export function bondOf(identity: ProcessIdentity, run: RunBond): "holder" | "member" | "gone" | "no" {
  const verdict = judgeProcess(identity);
  if (verdict !== "alive") return verdict === "gone" ? "gone" : "no";
  // Other systems show neither locks nor environments, so there the identity must be enough.
  if (process.platform !== "linux") return "member";
  const standing = standingOf(identity.pid, run);
  if (standing === "hidden") return isNamedByLock(identity, run) ? "member" : "no";
  return standing === "stranger" ? "no" : standing;
}

/**
 * A program with capabilities of its own hides its descriptors and environment; then the owner's record in the held lock file
 * counts.
 */
function isNamedByLock({ pid, startTicks }: ProcessIdentity, { heldFor }: RunBond): boolean {
  return (
    heldFor !== undefined && heldFor.pid === pid && heldFor.startTicks !== null && heldFor.startTicks === startTicks
  );
}

/** Sends `signal` to exactly the process that `identity` names, if it still lives. */
export function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  { holdsLock = false, child }: SignalGrounds = {},
): SignalOutcome {
  if (child?.pid === identity.pid) return child.hasEnded() ? "gone" : send(identity.pid, signal);
  if (!isPid(identity.pid) || identity.pid === process.pid) return "refused";
  if (!holdsLock && isUntouchable(identity.pid)) return "refused";
  const verdict = judgeProcess(identity);
  if (verdict !== "alive") return verdict === "gone" ? "gone" : "refused";
  return send(identity.pid, signal);
}

/**
 * Sends `signal` to the whole process group that `leader` leads.
 * When the leader is gone, the group still counts as its own while a member carries `LOCKKEEPER_RUN=<nonce>`: the
 * system does not give a pid out again while it names a group.
 */
export function signalGroup(
  leader: ProcessIdentity,
  signal: NodeJS.Signals,
  nonce?: string,
  child?: OwnChild,
): SignalOutcome {
  if (child?.pid === leader.pid && !child.hasEnded()) return send(-leader.pid, signal);
  if (isUntouchable(leader.pid) || leader.pid === readGroup(process.pid)) return "refused";
  const verdict = judgeProcess(leader);
  if (verdict === "unknown") return "refused";
  if (verdict === "alive") return readGroup(leader.pid) === leader.pid ? send(-leader.pid, signal) : "refused";
  // A pid that was given to another process cannot name the old group any more.
  if (nonce === undefined || identifyProcess(leader.pid) !== undefined) return "gone";
  return hasGroupMember(leader.pid, nonce) ? send(-leader.pid, signal) : "gone";
}

function isPid(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 0;
}

/** Whether `pid` is no process, pid 1, this process or an ancestor of it: what no record can make us end. */
export function isUntouchable(pid: number): boolean {
  return !isPid(pid) || pid === 1 || pid === process.pid || ancestorsOf(process.pid).includes(pid);
}

function send(target: number, signal: NodeJS.Signals): SignalOutcome {
  try {
    process.kill(target, signal);
    return "sent";
  } catch (error) {
    return errnoOf(error) === "ESRCH" ? "gone" : "refused";
  }
}

/** The process group of `pid`, or undefined when unknown. */
function readGroup(pid: number): number | undefined {
  if (process.platform !== "linux") return pid;
  try {
    return readProcStat(pid).group;
  } catch {
    return undefined;
  }
}

function hasGroupMember(group: number, nonce: string): boolean {
  if (process.platform !== "linux" || nonce === "") return false;
  return listProcessIds().some((pid) => readGroup(pid) === group && readRunNonce(pid) === nonce);
}
