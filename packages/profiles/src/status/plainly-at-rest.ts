/** Profiles that need no look at the host: most of a long list. No lock is opened for them, and the kernel is not asked. */
import type { RunRecord } from "@lockkeeper/core";
import type { Manifest } from "../manifest.ts";
import { hasLockFile } from "./lock-files.ts";

/** Its keeper said that it has ended, and neither a lock file nor somebody else's gateway can contradict it. */
export function isPlainlyAtRest(manifest: Manifest, record: RunRecord | undefined): boolean {
  return isSaidToRest(manifest, record) && !hasLockFile(manifest.paths.lock);
}

/** Its keeper said that it has ended. */
export function isSaidToRest({ kind, name }: Manifest, record: RunRecord | undefined): boolean {
  // Told by the word alone, so that the kinds need not be loaded: other gateways may run without a keeper of ours.
  if (kind !== "builtin" && kind !== "command") return false;
  if (record === undefined) return true;
  const { state, keeper, gateway, profile } = record;
  const isOver = state === "stopped" || state === "failed";
  return isOver && keeper === null && gateway === null && profile === name;
}
