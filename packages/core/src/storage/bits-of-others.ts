/** Whom a mode lets in besides its owner. One rule for everything of ours: what a start takes, doctor does not complain of. */
import type { Stats } from "node:fs";

/**
 * Returns those permission bits of a file or folder that let others in: the world's, and its group's. The group that has our own
 * number and is the one we run with is a user's private group, by the convention of Linux distributions, and lets nobody else in;
 * Kubernetes opens whole volumes to it (`fsGroup`). Root's group is none: it has members on some systems, and in OpenShift everybody.
 */
export function bitsOfOthers(stats: Pick<Stats, "mode" | "uid" | "gid">): number {
  if (process.platform === "win32") return 0;
  return stats.mode & (isPrivateGroup(stats) && process.geteuid?.() !== 0 ? 0o007 : 0o077);
}

/** Returns whether others can write it. Root's group may: that is the mode that archives and images give to what is root's. */
export function isOpenToOthers(stats: Pick<Stats, "mode" | "uid" | "gid">): boolean {
  const bits = bitsOfOthers(stats);
  return (bits & 0o002) !== 0 || ((bits & 0o020) !== 0 && !isPrivateGroup(stats));
}

/** Returns whether the group of what is ours or root's is nobody's but ours. */
export function isPrivateGroup({ uid, gid }: Pick<Stats, "uid" | "gid">): boolean {
  const self = process.geteuid?.();
  return self !== undefined && gid === self && gid === process.getegid?.() && (uid === self || uid === 0);
}
