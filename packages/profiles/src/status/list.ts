/**
 * Every profile with its state. One read of the registry, one of the run directory; a process is looked at only where
 * a record says that it should live, and what a killed run left is swept in passing.
 */
import { judgeProcess } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { isAdopted, type Manifest } from "../manifest.ts";
import { type ObservedState, observeState } from "./observed-state.ts";
import { describeProfile, type ProfileStatus } from "./profile-status.ts";
import { readRegistry } from "../registry/registry.ts";
import { readRunRecords } from "./run-records.ts";
import { readSelection } from "../selection/selection.ts";

/** How much `list` asks. */
export interface ListOptions {
  /** Ask each living gateway for its health now, instead of telling what its keeper saw last. @default true */
  readonly probe?: boolean;
}

/** Health probes under way at once; more would only queue in our own event loop. */
const probesAtOnce = 32;

/** Returns the status of every profile, sorted by name. */
export async function listProfiles(
  context: ProfilesContext,
  options: ListOptions = {},
): Promise<readonly ProfileStatus[]> {
  const manifests = [...readRegistry(context.home, context.owner).values()];
  const records = readRunRecords(context.home, context.owner);
  const current = readSelection(context).name;
  const now = Date.now();
  const statuses: ProfileStatus[] = [];
  const leftovers: Manifest[] = [];
  const alive: { readonly index: number; readonly manifest: Manifest }[] = [];
  const external = await findExternal(manifests);
  for (const manifest of manifests) {
    const record = records.get(manifest.name);
    const own: ObservedState = observeState(record, judgeProcess);
    const observed = own.gateway === null && own.keeper === null ? (external.get(manifest.name) ?? own) : own;
    if (observed.leftover) leftovers.push(manifest);
    if (observed.gateway !== null) alive.push({ index: statuses.length, manifest });
    statuses.push(describeProfile(manifest, observed, observed === own ? record : undefined, current, now));
  }
  // In a place of somebody else nothing is swept, and nobody is asked at an address that he chose.
  const isOurs = context.owner !== "any";
  if (leftovers.length > 0 && isOurs) {
    const { sweepLeftover } = await import("./leftover.ts");
    for (const manifest of leftovers) await sweepLeftover(context.home, manifest);
  }
  if (alive.length > 0 && options.probe !== false && isOurs) {
    const { checkHealth, parseHealthCheck } = await import("../kinds/health-check.ts");
    const queue = alive.values();
    const worker = async (): Promise<void> => {
      for (const { index, manifest } of queue) {
        const status = statuses[index];
        if (status === undefined) continue;
        const check = parseHealthCheck(manifest.health, manifest.kind);
        statuses[index] = { ...status, health: await checkHealth(check, status.host, status.port) };
      }
    };
    await Promise.all(Array.from({ length: Math.min(probesAtOnce, alive.length) }, worker));
  }
  return statuses;
}

/** Adopted profiles are few, and mostly none: only they cost a look at the host's sockets. */
async function findExternal(manifests: readonly Manifest[]): Promise<ReadonlyMap<string, ObservedState>> {
  const adopted = manifests.filter(isAdopted);
  if (adopted.length === 0) return new Map();
  return (await import("./external-gateway.ts")).findExternalGateways(adopted);
}
