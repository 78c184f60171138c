/**
 * Recognises profiles that need no look at the host, most of a long list. No lock is opened for them, and the kernel is not
 * asked.
 */
import type { RunRecord } from "@lockkeeper/core";
import type { Manifest } from "../manifest.ts";
import { hasLockFile } from "./lock-files.ts";

/** Its keeper reported its end, and neither a lock file nor another manager's gateway can contradict that. */
export function isPlainlyAtRest(manifest: Manifest, record: RunRecord | undefined): boolean {
  return isSaidToRest(manifest, record) && !hasLockFile(manifest.paths.lock);
}

/** Its keeper reported its end. */
export function isSaidToRest({ kind, name }: Manifest, record: RunRecord | undefined): boolean {
  // Judged by the word alone, so that the kinds need not be loaded: other gateways may run without one of our keepers.
  if (kind !== "builtin" && kind !== "command") return false;
  if (record === undefined) return true;
  const { state, keeper, gateway, profile } = record;
  const isOver = state === "stopped" || state === "failed";
  return isOver && keeper === null && gateway === null && profile === name;
}
