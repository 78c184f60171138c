/**
 * The only file that signals anybody. A signal goes to a verified identity or nowhere: never to a bare pid, never to
 * pid 1 and below, to ourselves, to our parent or to our own process group, whatever a record says.
 * Between the check and the signal a pid could in theory be reused; the system offers Node nothing closer.
 */
import { readFileSync, readdirSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { identifyProcess, judgeProcess } from "./process-identity.ts";

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
  return findGroupMember(leader.pid, nonce) ? send(-leader.pid, signal) : "gone";
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

/** The process group of `pid`, or undefined when it cannot be told. Source: proc_pid_stat(5), field 5. */
function readGroup(pid: number): number | undefined {
  if (process.platform !== "linux") return pid;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
  } catch {
    return undefined;
  }
}

function findGroupMember(group: number, nonce: string): boolean {
  if (process.platform !== "linux" || nonce === "") return false;
  const entries = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return entries.some((entry) => readGroup(Number(entry)) === group && carriesNonce(entry, nonce));
}

function carriesNonce(entry: string, nonce: string): boolean {
  try {
    return readFileSync(`/proc/${entry}/environ`, "latin1").split("\0").includes(`LOCKKEEPER_RUN=${nonce}`);
  } catch {
    return false;
  }
}
