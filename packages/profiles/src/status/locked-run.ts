/**
 * What a profile's lock tells of a run that could not publish itself: its record is missing, damaged, or still that of
 * an earlier run because the disk was full. For whoever looks at one profile; without it, `stop` would call a gateway
 * stopped that serves. What is signalled is verified against this record exactly as against a published one.
 */
import { type FileOwner, judgeProcess, readGatewayLock, type RunRecord } from "@lockkeeper/core";
import { type Manifest, withPort } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import { observeState } from "./observed-state.ts";
import { readRunRecord } from "./run-records.ts";

/** Returns the latest run of the profile: what was published, unless the lock names another run that lives. */
export function latestRun(home: string, manifest: Manifest, owner?: FileOwner): RunRecord | undefined {
  const published = readRunRecord(home, manifest.name, owner);
  if (isLiving(published)) return published;
  const locked = lockedRun(manifest);
  return locked !== undefined && locked.nonce !== published?.nonce && isLiving(locked) ? locked : published;
}

function lockedRun(manifest: Manifest): RunRecord | undefined {
  const lock = readGatewayLock(lockPlace(manifest.paths));
  // Without a port nobody keeps a gateway by it: somebody sweeps, renames or removes.
  if (lock === null || lock.port === null) return undefined;
  const { pid, startTicks, bootId, pidNamespace, nonce, host, port, gateway, createdAt } = lock;
  return {
    v: 1,
    profile: manifest.name,
    nonce,
    state: gateway === null ? "starting" : "running",
    reason: "its keeper could not publish its state; this is what the lock tells",
    code: null,
    since: createdAt,
    keeper: { pid, startTicks, bootId, pidNamespace },
    gateway: gateway === null ? null : { ...gateway, bootId, pidNamespace },
    host: host ?? manifest.host,
    port,
    ports: withPort(manifest, port).ports,
    startedAt: null,
    health: "unknown",
    restarts: 0,
    lastExit: null,
  };
}

function isLiving(record: RunRecord | undefined): boolean {
  const { keeper, gateway } = observeState(record, judgeProcess);
  return keeper !== null || gateway !== null;
}
