/**
 * The only file that signals anybody. A signal goes to a verified identity or nowhere: never to a bare pid, never to
 * pid 1 and below, to ourselves, to our parent or to our own process group, whatever a record says.
 * Between the check and the signal a pid could in theory be reused; the system offers Node nothing closer.
 */
import { errnoOf } from "../errors.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { listProcessIds, readProcStat } from "./proc.ts";
import { identifyProcess, judgeProcess } from "./process-identity.ts";
import { readRunNonce } from "./process-tree.ts";

/** `refused`: the identity is unknown, does not match, or names somebody who must never be signalled; nothing was sent. */
export type SignalOutcome = "sent" | "gone" | "refused";

/** Sends `signal` to exactly the process that `identity` names, if it still lives. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): SignalOutcome {
  if (isUntouchable(identity.pid)) return "refused";
  const verdict = judgeProcess(identity);
  if (verdict !== "alive") return verdict === "gone" ? "gone" : "refused";
  return send(identity.pid, signal);
}

/**
 * Sends `signal` to the whole process group that `leader` leads.
 * When the leader is gone, the group still counts as its own while a member carries `LOCKKEEPER_RUN=<nonce>`: the
 * system does not give a pid out again while it names a group.
 */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals, nonce?: string): SignalOutcome {
  if (isUntouchable(leader.pid) || leader.pid === readGroup(process.pid)) return "refused";
  const verdict = judgeProcess(leader);
  if (verdict === "unknown") return "refused";
  if (verdict === "alive") return readGroup(leader.pid) === leader.pid ? send(-leader.pid, signal) : "refused";
  // A pid that somebody else has by now cannot name the old group any more.
  if (nonce === undefined || identifyProcess(leader.pid) !== undefined) return "gone";
  return hasGroupMember(leader.pid, nonce) ? send(-leader.pid, signal) : "gone";
}

function isUntouchable(pid: number): boolean {
  return !Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid || pid === process.ppid;
}

function send(target: number, signal: NodeJS.Signals): SignalOutcome {
  try {
    process.kill(target, signal);
    return "sent";
  } catch (error) {
    return errnoOf(error) === "ESRCH" ? "gone" : "refused";
  }
}

/** The process group of `pid`, or undefined when it cannot be told. */
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
