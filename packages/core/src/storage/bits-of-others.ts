/**
 * Decides who besides the owner has access by a mode. One rule for all our files: a mode that a start accepts is no finding
 * of doctor.
 */
import type { Stats } from "node:fs";
import { hasAccessList } from "./access-list.ts";

/** The facts about a file or folder that decide about access. */
export type Access = Pick<Stats, "mode" | "uid" | "gid" | "ctimeMs">;

/**
 * Returns the permission bits that give access to others: those of the world and of the group. By the convention of Linux
 * distributions, a group that has our own user number and that we run with is a private group and gives access to nobody else;
 * Kubernetes opens whole volumes to it (`fsGroup`). Root's group is not private: it has members on some systems, and on
 * OpenShift every user is in it. With an access control list the group's bits are the upper limit for everyone in the list,
 * whatever the group.
 */
export function bitsOfOthers(stats: Access, path: string): number {
  if (process.platform === "win32") return 0;
  // Then it does not matter whose group it is, which the system has to be asked.
  if ((stats.mode & 0o070) === 0) return stats.mode & 0o007;
  return stats.mode & (isPrivateGroup(stats) && process.geteuid?.() !== 0 && !listOpens(stats, path) ? 0o007 : 0o077);
}

/** Returns whether others can write it. Root's group is allowed, because archives and images give that mode to root's files. */
export function isOpenToOthers(stats: Access, path: string): boolean {
  if (process.platform === "win32") return false;
  if ((stats.mode & 0o002) !== 0) return true;
  return (stats.mode & 0o020) !== 0 && (!isPrivateGroup(stats) || listOpens(stats, path));
}

/** A list cannot give more than the group's bits, so without them `ls` is not asked. */
function listOpens({ mode, ctimeMs }: Access, path: string): boolean {
  return (mode & 0o070) !== 0 && hasAccessList(path, ctimeMs);
}

/** Returns whether the group of our file, or of root's, contains only us. */
export function isPrivateGroup({ uid, gid }: Pick<Stats, "uid" | "gid">): boolean {
  const self = process.geteuid?.();
  return self !== undefined && gid === self && gid === process.getegid?.() && (uid === self || uid === 0);
}
