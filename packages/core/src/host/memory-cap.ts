/**
 * Caps the memory of one gateway by a control group of its own, where this process may create one. Supports both versions of
 * the kernel's interface; Linux only. Where no group can be created there is no cap, and the caller is told. Source:
 * docs.kernel.org/admin-guide/cgroup-v2, cgroup-v1/memory.
 */
import * as fs from "node:fs";
import path from "node:path";

import { errnoOf } from "../errors.ts";

/** A control group with a limit. */
export interface MemoryCap {
  /** Moves the process in; its later children are in it too. False when it cannot be moved. */
  readonly admit: (pid: number) => boolean;
  /** How many processes the kernel has killed at the limit so far; null when unknown. */
  readonly countKills: () => number | null;
  /** Removes the group when no process is in it. */
  readonly remove: () => void;
}

/** The names that the two versions have for the same things. */
interface Interface {
  readonly limitFile: string;
  readonly eventsFile: string;
}
const V1: Interface = { limitFile: "memory.limit_in_bytes", eventsFile: "memory.oom_control" };
const V2: Interface = { limitFile: "memory.max", eventsFile: "memory.events" };

/** Where a group may be created. */
interface CapPlace extends Interface {
  readonly directory: string;
}

/** Says whether this process may cap a gateway's memory. Changes nothing. */
export function canCapMemory(): boolean {
  return findPlace() !== undefined;
}

/** Creates the group, or reuses the one of an earlier run; undefined when that is not possible here. */
export function capMemory(name: string, limitBytes: number): MemoryCap | undefined {
  const place = findPlace();
  if (place === undefined) return undefined;
  const group = path.join(place.directory, name);
  const remove = (): void => {
    try {
      fs.rmdirSync(group);
    } catch {
      // A process is still in it; the next run reuses it.
    }
  };
  try {
    if (!fs.existsSync(group)) fs.mkdirSync(group);
    fs.writeFileSync(path.join(group, place.limitFile), String(limitBytes));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    remove();
    return undefined;
  }
  return {
    remove,
    countKills: () => readKills(path.join(group, place.eventsFile)),
    admit(pid) {
      try {
        fs.writeFileSync(path.join(group, "cgroup.procs"), String(pid));
        return true;
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
        return false;
      }
    },
  };
}

function readKills(file: string): number | null {
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(fs.readFileSync(file, "utf8")) ?? [];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}

function findPlace(): CapPlace | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const own = fs.readFileSync("/proc/self/cgroup", "utf8");
    const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8");
    const [, v1Path] = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(own) ?? [];
    if (v1Path !== undefined) {
      const directory = directoryOf(mounts, "cgroup", v1Path);
      return directory !== undefined && isOpen(directory) ? { ...V1, directory } : undefined;
    }
    const [, v2Path] = /^0::(.*)$/m.exec(own) ?? [];
    const directory = v2Path === undefined ? undefined : directoryAbove(mounts, v2Path);
    return directory === undefined ? undefined : { ...V2, directory };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Only a group without processes of its own may delegate memory: this is the nearest such group above ours, if we may write
 * to it.
 */
function directoryAbove(mounts: string, v2Path: string): string | undefined {
  for (let at = v2Path; ; at = path.dirname(at)) {
    const directory = directoryOf(mounts, "cgroup2", at);
    if (directory === undefined) return undefined;
    const handsOn = fs.readFileSync(path.join(directory, "cgroup.subtree_control"), "utf8").trim().split(" ");
    if (handsOn.includes("memory")) return isOpen(directory) ? directory : undefined;
    if (at === "/" || at === ".") return undefined;
  }
}

/** Returns where the group `wanted` is mounted. In a container the mount may begin at a group below the host's root. */
function directoryOf(mounts: string, type: "cgroup" | "cgroup2", wanted: string): string | undefined {
  for (const line of mounts.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = before.split(" ");
    const [found, , options = ""] = after.split(" ");
    if (found !== type || (type === "cgroup" && !options.split(",").includes("memory"))) continue;
    const inside = root !== "/" && `${wanted}/`.startsWith(`${root}/`) ? wanted.slice(root.length) : wanted;
    const directory = path.join(mountPoint, inside);
    if (fs.existsSync(directory)) return directory;
  }
  return undefined;
}

function isOpen(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.W_OK);
    fs.accessSync(path.join(directory, "cgroup.procs"), fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
