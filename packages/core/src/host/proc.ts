/**
 * The files of Linux's /proc about one process, read as they are. No judgement: whether a process is still the one that was
 * meant is for the files beside this one, who also know what to do without a /proc. System errors come as they are.
 * Read as UTF-8, for which Node has a way that is several times as fast as for any other: what is no UTF-8 is never looked at.
 */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { uptime } from "node:os";
import path from "node:path";
import { isDigits } from "../digits.ts";

/** Part of `/proc/<pid>/stat`. */
export interface ProcStat {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot, by the host's own clock: the same number from every time namespace. */
  readonly startTicks: number;
  /** A zombie: it has ended, and only waits for its parent to ask how. */
  readonly ended: boolean;
  /** Stopped by SIGSTOP, a terminal or a debugger: it does nothing until it is continued. */
  readonly paused: boolean;
  /**
   * True: the id is the process's own. False: it may also be that of another thread of the process; {@link isProcessId} knows.
   * Only a main thread sends a signal when it ends. Source: include/linux/sched/signal.h, thread_group_leader.
   */
  readonly isOwnId: boolean;
}

/** Returns the ids of all processes that are shown; thread ids are not among them. */
export function listProcessIds(procRoot: string = "/proc"): readonly number[] {
  return readdirSync(procRoot).filter(isDigits).map(Number);
}

/** Source: proc_pid_stat(5). */
export function readProcStat(pid: number): ProcStat {
  const fields = readStatFields(pid);
  const [state, parent, group, session] = fields;
  return {
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTicks: Number(fields[19]) - ownClockShiftTicks(),
    // A main thread that ended before its siblings looks like a zombie; the process lives while another thread does.
    paused: state === "T" || state === "t",
    ended: (state === "Z" || state === "X") && Number(fields[17]) <= 1,
    isOwnId: Number(fields[35]) > 0,
  };
}

/**
 * Returns the id under which /proc shows the open files and the environment of process `pid`: its own, or that of another thread
 * when the main thread has ended before the process. /proc has a folder for each thread, though it does not list them.
 */
export function threadThatShows(pid: number): number {
  try {
    if (readStatFields(pid)[0] !== "Z") return pid;
    return (
      readdirSync(`/proc/${pid}/task`)
        .map(Number)
        .find((thread) => thread !== pid) ?? pid
    );
  } catch {
    return pid;
  }
}

/** Returns the fields of `/proc/<pid>/stat` from the third one on, the state, to the 38th. */
export function readStatFields(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command, in parentheses, may hold blanks and parentheses of its own: count from the last one.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ", 36);
}

/**
 * Returns the value in the line `name: value` of a file of /proc, unless that is its first line. Without a regular expression, as
 * compiling one costs as much as twenty calls.
 */
export function valueIn(info: string, name: string): string | undefined {
  const at = info.indexOf(`\n${name}:`);
  return at < 0 ? undefined : info.slice(at + name.length + 2, info.indexOf("\n", at + 1)).trim();
}

/** Says whether the id is that of a process and not of a thread: /proc answers for threads too, though it does not list them. */
export function isProcessId(pid: number): boolean {
  return readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nTgid:\t${pid}\n`);
}

/** Source: sysconf(3), _SC_CLK_TCK; the kernel shows times to programs in hundredths, whatever it counts in itself. */
const TICKS_PER_SECOND = 100;

let clockShiftTicks: number | undefined;

/** How far our time namespace shifts what we are shown: it never changes while we live. Source: time_namespaces(7). */
function ownClockShiftTicks(): number {
  clockShiftTicks ??= readClockShiftTicks();
  return clockShiftTicks;
}

function readClockShiftTicks(): number {
  try {
    const offsets = readFileSync("/proc/self/timens_offsets", "utf8");
    const line = offsets.split("\n").find((each) => each.startsWith("boottime ")) ?? "";
    const [, seconds = 0, nanoseconds = 0] = line.split(" ").filter(Boolean).map(Number);
    return seconds * TICKS_PER_SECOND + Math.floor((nanoseconds * TICKS_PER_SECOND) / 1e9);
  } catch {
    // A kernel without time namespaces.
    return 0;
  }
}

/** Returns how long the host has been up, in milliseconds, on the clock of {@link ProcStat.startTicks}. */
export function hostUptimeMs(): number {
  return uptime() * 1_000 - (ownClockShiftTicks() * 1_000) / TICKS_PER_SECOND;
}

/** The name that every program of Node bears from some release on; seen on 24.21. */
const ANY_NODE = "MainThread";

/** Returns the name that the process has given itself, or that of its program. Source: proc_pid_comm(5). */
export function readProcessName(pid: number): string {
  const name = readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  if (name !== ANY_NODE) return name;
  try {
    return path.basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    // Another user's process hides its program.
    return name;
  }
}

/** Returns the environment that the process was started with, as `NAME=value`. Source: proc_pid_environ(5). */
export function readProcEnvironment(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
}

/** Inode of our network namespace, as text: where our abstract sockets are visible. Null when it cannot be told. */
export function ownNetworkNamespace(): string | null {
  try {
    return /^net:\[(\d+)\]$/.exec(readlinkSync("/proc/self/ns/net"))?.[1] ?? null;
  } catch {
    return null;
  }
}
