/**
 * Recognises an owner whose lock file is no longer in its place, for example because somebody has replaced the directory by a
 * backup. Its keeper puts the file back within a second, unless it is paused. Until then the kernel rightly says that nobody holds
 * the file that is there now. Linux only; elsewhere no such owner is found.
 */
import { closeSync, constants, openSync } from "node:fs";
import { lockFilesHeldBy } from "../host/lock-holders.ts";
import { realPath } from "../storage/real-path.ts";
import type { LockRecord } from "./lock-record.ts";
import { readRecordOf } from "./read-lock-record.ts";

/** The profile and its config, by which an owner's record names what it owns. */
export interface OwnedConfig {
  readonly profile: string;
  readonly configPath: string;
}

/**
 * Says whether process `pid` holds the kernel's lock on a file, wherever that is by now, whose record names this very process,
 * profile and config. The path of the config is compared, and not the file behind it, so that a copy of a home has no owner in the
 * original.
 */
export function holdsDisplacedLock(pid: number, owned: OwnedConfig): boolean {
  return readDisplacedLock(pid, owned) !== null;
}

/** Returns the record by which {@link holdsDisplacedLock} is true: its file may be removed, and its owner still has it open. */
export function readDisplacedLock(pid: number, { profile, configPath }: OwnedConfig): LockRecord | null {
  for (const file of lockFilesHeldBy(pid)) {
    const record = readOpenRecord(file);
    if (record?.pid !== pid || record.profile !== profile) continue;
    if (record.configPath === configPath || realPath(record.configPath) === realPath(configPath)) return record;
  }
  return null;
}

/** The record behind the descriptor of another process; null when it has just been closed. */
function readOpenRecord(file: string): LockRecord | null {
  let fd: number;
  try {
    // Without O_NOFOLLOW: in /proc each descriptor is a link.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    return readRecordOf(fd).record;
  } finally {
    closeSync(fd);
  }
}
