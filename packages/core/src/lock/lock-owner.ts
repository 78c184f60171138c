/**
 * What can be said about the owner in a lock record: does it live, which pid to name, why it no longer counts. Looks at
 * processes and never at the lock. For the gateway lock, its inspection and the mutex.
 */
import { readdirSync, readlinkSync } from "node:fs";

import type { ProcessIdentity, ProcessVerdict } from "../host/process-identity.ts";
import { identifyProcess, judgeProcess, ownIdentity } from "../host/process-identity.ts";
import type { LockRecord, ParsedLockRecord } from "./lock-record.ts";

/** The two who may hold a lock; `verdict` is `alive` when either lives and `gone` when neither does. */
export interface OwnerReport {
  readonly verdict: ProcessVerdict;
  /** The one to name: the gateway if it lives, else the process that took the lock. */
  readonly pid: number;
}

/** Judges the gateway and the keeper of the record. */
export function judgeOwner(record: LockRecord): OwnerReport {
  const keeper = judgeProcess(record);
  const gateway = record.gateway === null ? "gone" : judgeProcess(gatewayIdentity(record, record.gateway));
  if (record.gateway !== null && gateway === "alive") return { verdict: "alive", pid: record.gateway.pid };
  if (keeper === "alive") return { verdict: "alive", pid: record.pid };
  return { verdict: keeper === "unknown" || gateway === "unknown" ? "unknown" : "gone", pid: record.pid };
}

/** Says, for the log, why what the lock file said did not count any more. To be called with the lock held. */
export function explainReclaim(said: ParsedLockRecord): string {
  if (said.record === null) return `the file ${said.problem}, and nobody holds its lock`;
  const { record } = said;
  const who = `its owner (pid ${record.pid})`;
  if (record.bootId !== null && record.bootId !== ownIdentity().bootId)
    return `${who} ran before the host was restarted`;
  const { verdict } = judgeOwner(record);
  if (verdict === "alive") return `${who} has let the lock go`;
  if (verdict === "unknown") return `${who} cannot be seen from here, and nobody holds its lock`;
  return identifyProcess(record.pid) === undefined
    ? `${who} is gone`
    : `${who} is gone, its pid is another process now`;
}

/** Returns the processes, as far as we may see, that have `path` open: those who can keep its kernel lock alive. Linux only. */
export function findDescriptorHolders(path: string): readonly number[] {
  if (process.platform !== "linux") return [];
  const pids = listProc("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids
    .filter((pid) => listProc(`/proc/${pid}/fd`).some((fd) => leadsTo(`/proc/${pid}/fd/${fd}`, path)))
    .map(Number);
}

function gatewayIdentity(record: LockRecord, gateway: NonNullable<LockRecord["gateway"]>): ProcessIdentity {
  return { ...gateway, bootId: record.bootId, pidNamespace: record.pidNamespace };
}

function listProc(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function leadsTo(link: string, path: string): boolean {
  try {
    return readlinkSync(link) === path;
  } catch {
    return false;
  }
}
