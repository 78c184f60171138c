/**
 * Says whether this is still that process. A pid alone identifies nothing: it is reused after an exit, after a reboot and
 * across containers. An identity adds the raw start ticks, the boot id and the pid namespace. No wall clock is involved. A
 * zombie has ended and a thread id is no process, so neither is ever identified. When the host does not say, the answer is
 * `unknown`, never a guess.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import { isProcessId, readProcStat } from "./proc.ts";

/** Identifies one process of this host: all of this must be equal for a recorded pid to mean the same process today. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Raw start time in the system's own unit (Linux: clock ticks since boot); null where the system has none. */
  readonly startTicks: number | null;
  readonly bootId: string | null;
  /** Inode of the pid namespace in which `pid` is counted, as text (Linux); null elsewhere. */
  readonly pidNamespace: string | null;
}

/** `unknown`: the host does not say (another pid namespace, no /proc, no permission). */
export type ProcessVerdict = "alive" | "gone" | "unknown";

/** What the host says about one pid now. `hidden`: there may be a process, but we may not look at it. */
type Sighting = { readonly seen: "process"; readonly startTicks: number } | { readonly seen: "nobody" | "hidden" };

/** Where and when this process counts pids. Neither changes while it lives. */
interface Surroundings {
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
}

let surroundings: Surroundings | undefined;
let self: ProcessIdentity | undefined;

/** Returns the identity of the living process `pid`, or undefined when there is none (a zombie and a bare thread id count as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  if (!isPid(pid)) return undefined;
  const sighting = look(pid);
  switch (sighting.seen) {
    case "process":
      return { pid, startTicks: sighting.startTicks, ...here() };
    case "hidden":
      return { pid, startTicks: null, ...here() };
    case "nobody":
      return undefined;
  }
}

/** Returns this process's own identity; read once. */
export function ownIdentity(): ProcessIdentity {
  self ??= identifyProcess(process.pid) ?? { pid: process.pid, startTicks: null, ...here() };
  return self;
}

/** Says whether the process that `identity` was taken from still lives. Never decides on the pid alone. */
export function judgeProcess(identity: ProcessIdentity): ProcessVerdict {
  if (!isPid(identity.pid)) return "gone";
  const { bootId, pidNamespace } = here();
  // The namespace comes first: LXC and systemd-nspawn show a boot id of their own inside, so another boot id means a reboot
  // only within one namespace.
  if (identity.pidNamespace !== pidNamespace) return "unknown";
  if (identity.bootId !== null && bootId !== null && identity.bootId !== bootId) return "gone";
  const sighting = look(identity.pid);
  if (sighting.seen !== "process") return sighting.seen === "nobody" ? "gone" : "unknown";
  if (identity.startTicks === null || identity.bootId === null) return "unknown";
  return sighting.startTicks === identity.startTicks ? "alive" : "gone";
}

/**
 * Says whether a process lives under that pid, here and since this boot, that the host does not show: with `hidepid` it hides programs that
 * have capabilities from their own user. Whether it is still the recorded process cannot be told then.
 */
export function isHiddenHere(identity: ProcessIdentity): boolean {
  const { bootId, pidNamespace } = here();
  const isOurs = bootId !== null && identity.bootId === bootId && identity.pidNamespace === pidNamespace;
  return isOurs && judgeProcess(identity) === "unknown";
}

/** Says whether both identities are complete and name the same process. */
export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return (
    a.pid === b.pid &&
    a.startTicks !== null &&
    a.startTicks === b.startTicks &&
    a.bootId !== null &&
    a.bootId === b.bootId &&
    a.pidNamespace === b.pidNamespace
  );
}

/** Source: PID_MAX_LIMIT of include/linux/threads.h, 64-bit; other systems stay far below. */
const HIGHEST_PID = 4_194_304;

/** Says whether a living process is stopped (SIGSTOP, a debugger) and does nothing; false where the host does not tell. */
export function isPaused(pid: number): boolean {
  try {
    return process.platform === "linux" && readProcStat(pid).paused;
  } catch {
    return false;
  }
}

/**
 * Says whether the visible process `pid` counts pids as we do: a container's processes are shown to its host, under numbers that
 * mean nothing inside. False where the host does not tell.
 */
export function isInOwnNamespace(pid: number): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === `pid:[${here().pidNamespace}]`;
  } catch {
    return false;
  }
}

function isPid(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value <= HIGHEST_PID;
}

function look(pid: number): Sighting {
  switch (process.platform) {
    case "linux":
      return lookInProc(pid);
    case "darwin":
      return lookWithPs(pid);
    default:
      return lookWithSignal(pid);
  }
}

function here(): Surroundings {
  surroundings ??=
    process.platform === "linux"
      ? { bootId: readLinuxBootId(), pidNamespace: readLinuxPidNamespace() }
      : { bootId: process.platform === "darwin" ? readDarwinBootId() : null, pidNamespace: null };
  return surroundings;
}

// Linux. Source: proc_pid_status(5), pid_namespaces(7).

function lookInProc(pid: number): Sighting {
  if (here().pidNamespace === null) return lookWithSignal(pid);
  try {
    const { ended, startTicks, isOwnId } = readProcStat(pid);
    if (ended || !(isOwnId || isProcessId(pid))) return { seen: "nobody" };
    return Number.isSafeInteger(startTicks) ? { seen: "process", startTicks } : { seen: "hidden" };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ESRCH") return { seen: "nobody" };
    // With hidepid, /proc has no entry for other users' processes, but signal 0 still shows that they exist.
    return errno === "ENOENT" ? lookWithSignal(pid) : { seen: "hidden" };
  }
}

function readLinuxBootId(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}

/** Null when /proc is missing or was mounted for another pid namespace, whose numbers are not ours. */
function readLinuxPidNamespace(): string | null {
  try {
    if (readlinkSync("/proc/self") !== String(process.pid)) return null;
    const link = readlinkSync("/proc/self/ns/pid");
    return link.startsWith("pid:[") && link.endsWith("]") ? link.slice("pid:[".length, -1) : null;
  } catch {
    return null;
  }
}

// macOS, untested: the best that its tools tell. Source: ps(1), sysctl(8).

function lookWithPs(pid: number): Sighting {
  try {
    const args = ["-o", "stat=,lstart=", "-p", String(pid)];
    const line = execFileSync("/bin/ps", args, {
      encoding: "latin1",
      env: { LC_ALL: "C", TZ: "UTC0" },
      timeout: 2_000,
    });
    const [state = "", ...start] = line.trim().split(/\s+/);
    if (state.startsWith("Z")) return { seen: "nobody" };
    const startTicks = Date.parse(`${start.join(" ")} UTC`) / 1_000;
    return Number.isSafeInteger(startTicks) ? { seen: "process", startTicks } : { seen: "hidden" };
  } catch {
    return lookWithSignal(pid);
  }
}

function readDarwinBootId(): string | null {
  try {
    return execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], {
      encoding: "latin1",
      timeout: 2_000,
    }).trim();
  } catch {
    return null;
  }
}

/** Says only whether there is a process, not which one. */
function lookWithSignal(pid: number): Sighting {
  try {
    process.kill(pid, 0);
    return { seen: "hidden" };
  } catch (error) {
    return { seen: errnoOf(error) === "ESRCH" ? "nobody" : "hidden" };
  }
}
