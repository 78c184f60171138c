/** Whom a mode lets in besides its owner. One rule for everything of ours: what a start takes, doctor does not complain of. */
import type { Stats } from "node:fs";
import { hasAccessList } from "./access-list.ts";

/** What of a file or folder says whom it lets in. */
export type Access = Pick<Stats, "mode" | "uid" | "gid" | "ctimeMs">;

/**
 * Returns those permission bits of a file or folder that let others in: the world's, and its group's. The group that has our own
 * number and is the one we run with is a user's private group, by the convention of Linux distributions, and lets nobody else in;
 * Kubernetes opens whole volumes to it (`fsGroup`). Root's group is none: it has members on some systems, and in OpenShift everybody.
 * With an access control list the group's bits are the most that anybody in the list may do, whatever the group.
 */
export function bitsOfOthers(stats: Access, path: string): number {
  if (process.platform === "win32") return 0;
  return stats.mode & (isPrivateGroup(stats) && process.geteuid?.() !== 0 && !listOpens(stats, path) ? 0o007 : 0o077);
}

/** Returns whether others can write it. Root's group may: that is the mode that archives and images give to what is root's. */
export function isOpenToOthers(stats: Access, path: string): boolean {
  if (process.platform === "win32") return false;
  if ((stats.mode & 0o002) !== 0) return true;
  return (stats.mode & 0o020) !== 0 && (!isPrivateGroup(stats) || listOpens(stats, path));
}

/** Lists cannot give more than the group's bits, so without these nobody needs to be asked. */
function listOpens({ mode, ctimeMs }: Access, path: string): boolean {
  return (mode & 0o070) !== 0 && hasAccessList(path, ctimeMs);
}

/** Returns whether the group of what is ours or root's is nobody's but ours. */
export function isPrivateGroup({ uid, gid }: Pick<Stats, "uid" | "gid">): boolean {
  const self = process.geteuid?.();
  return self !== undefined && gid === self && gid === process.getegid?.() && (uid === self || uid === 0);
}
