/** One profile in full, with live answers: what `status` shows beyond `list`. */
import { LockkeeperError, readHistory } from "@lockkeeper/core";
import { readLastLines, readListeners, shownTarget, uptimeShare, withoutColours } from "@lockkeeper/core/internal";
import type { GatewayExit, LockInspection } from "@lockkeeper/core";
import type { Listener, SparedProcess } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { shownOutput } from "../run-secrets.ts";
import { gatewayLogPath, historyPath } from "../profile-paths.ts";
import { askHealth } from "./ask-health.ts";
import { Look } from "./evidence.ts";
import { kinds } from "../kinds/kinds.ts";
import type { EndScope, Manifest } from "../manifest.ts";
import { knownProfile } from "./known-profiles.ts";
import { limitNotes, memoryMaxBy } from "./limits.ts";
import type { MemoryMaxBy } from "./limits.ts";
import { withUsage } from "./memory-usage.ts";
import { observeEach, observeManifest, statusOf } from "./observe-profile.ts";
import type { ProfileObservation } from "./observe-profile.ts";
import { isServing } from "./observed-state.ts";
import { hasPendingChange } from "./pending-change.ts";
import type { ProfileStatus } from "./profile-status.ts";
import { stillSpared } from "./run-records.ts";

/** As many lines as a person reads at a glance; `logs` has the rest. */
const SHOWN_LINES = 5;

/** One profile may take longer than a table of many. */
const LEASE_TIMEOUT_MS = 1_000;

/** A contract with scripts: fields are added, never renamed or removed. */
export interface ProfileDetail extends ProfileStatus {
  /** The lock's record, and the host's answer about its owner. */
  readonly lock: LockInspection;
  /** The listeners on the profile's ports; empty where the host does not list them. */
  readonly listeners: readonly Listener[];
  readonly restarts: number;
  readonly lastExit: GatewayExit | null;
  /** Since when it is healthy, ISO 8601; null when it is not, or its keeper is too old to say. */
  readonly healthySince: string | null;
  /** When it was last silent, crashed, blocked or failed, ISO 8601; null when it never was, as far as known. */
  readonly lastUnhealthyAt: string | null;
  /** The share of the last day in which it ran, from 0 to 1, without requested stops; null when unknown. */
  readonly uptimeShare: number | null;
  /** What keeps it below `memoryMaxBytes`: its unit's manager, or its own control group; null: nothing. */
  readonly memoryMaxBy: MemoryMaxBy | null;
  /** A sentence for each limit that nothing on this host enforces. */
  readonly limitNotes: readonly string[];
  /** Living processes that the ends of earlier runs have spared. */
  readonly spared: readonly SparedProcess[];
  /** Whether the running gateway has older settings than the profile; the new ones apply from the next start. */
  readonly pendingChange: boolean;
  /** Names of the variables of `--env`, passed-on ones included; never a value. */
  readonly envNames: readonly string[];
  readonly envFile: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
  readonly after: readonly string[];
  readonly end: EndScope;
  /** Event to target; only scheme and host of a URL, because the rest may be a secret. */
  readonly hooks: Readonly<Record<string, string>>;
  /** The unit that starts it; null where no service manager does. */
  readonly unit: string | null;
  /**
   * The last lines of its log, at most five, without colours and known secrets; empty when there are none or they are
   * unreadable.
   */
  readonly lastOutput: readonly string[];
}

/**
 * Returns the profile in full, with its present health, as it was found. The remains of a killed run are swept afterwards.
 *
 * @throws {LockkeeperError} PROFILE_NOT_FOUND, PROFILE_NAME_INVALID, REGISTRY_DAMAGED.
 */
export async function profileDetail(context: ProfilesContext, name: string): Promise<ProfileDetail> {
  const look = new Look(context);
  const { manifest, isByRun } = await knownProfile(context, name);
  const observation = observeThoroughly(context, manifest, look);
  const { observed, record } = observation;
  const status = await withLease(context, statusOf(context, observation), manifest);
  const lock = await look.inspectLock(manifest);
  const listeners = readListeners({ ports: new Set(Object.values(status.ports)) });
  const [withItsMemory = status] = withUsage([status]);
  const detail: ProfileDetail = {
    ...withItsMemory,
    health: isServing(observed) && context.owner !== "any" ? await askHealth(context, observation, status) : "unknown",
    lock,
    listeners: listeners === "unknown" ? [] : listeners,
    restarts: record?.restarts ?? 0,
    lastExit: record?.lastExit ?? null,
    healthySince: isServing(observed) ? (record?.healthySince ?? null) : null,
    lastUnhealthyAt: record?.lastUnhealthyAt ?? null,
    memoryMaxBy: memoryMaxBy(manifest),
    limitNotes: limitNotes(manifest),
    uptimeShare: uptimeShareOf(manifest, observed.state),
    spared: stillSpared(record),
    pendingChange: !isByRun && hasPendingChange(observation),
    ...settingsOf(manifest),
    // Which secrets may be in it is not known without its settings.
    lastOutput: isByRun ? [] : await readLastOutput(context, manifest),
  };
  // In another user's home nothing is swept.
  if (observed.leftover && context.owner !== "any") {
    const { sweepLeftover } = await import("./leftover.ts");
    await sweepLeftover(context.home, manifest);
  }
  return detail;
}

/** Also asks a holder of the lock that no record describes: a list does not, since its good case would pay for the question. */
function observeThoroughly(context: ProfilesContext, manifest: Manifest, look: Look): ProfileObservation {
  const observation = observeManifest(context, manifest, look);
  const record = observation.observed.owner === "unclear" ? look.runOfHolder(manifest) : undefined;
  return observeEach(context, record === undefined ? [] : [{ manifest, record }], look)[0] ?? observation;
}

const DAY_MS = 24 * 60 * 60_000;

/** An unreadable history counts as empty. */
function uptimeShareOf({ paths }: Manifest, state: string): number | null {
  try {
    const now = Date.now();
    return uptimeShare(readHistory(historyPath(paths)), state, now - DAY_MS, now);
  } catch (error) {
    if (error instanceof LockkeeperError) return null;
    throw error;
  }
}

/**
 * Returns the lines without the secrets that are known here. An unreadable log does not hide the rest of the profile; `logs`
 * reports the reason.
 */
async function readLastOutput({ env }: ProfilesContext, manifest: Manifest): Promise<readonly string[]> {
  try {
    const lines = await readLastLines(gatewayLogPath(manifest.paths), SHOWN_LINES);
    return await shownOutput(lines.map(withoutColours), manifest, env);
  } catch (error) {
    if (error instanceof LockkeeperError) return [];
    throw error;
  }
}

type Settings = "envNames" | "envFile" | "createdAt" | "stopTimeoutMs" | "after" | "end" | "hooks" | "unit";

function settingsOf(manifest: Manifest): Pick<ProfileDetail, Settings> {
  const { kind, env = {}, passEnv = [], envFile = null, createdAt } = manifest;
  return {
    envNames: [...Object.keys(env), ...passEnv].sort(),
    envFile,
    createdAt,
    stopTimeoutMs: manifest.stopTimeoutMs ?? kinds[kind].stopTimeoutMs,
    after: manifest.after ?? [],
    end: manifest.end ?? kinds[kind].end,
    unit: manifest.service?.unit ?? null,
    hooks: Object.fromEntries(
      Object.entries(manifest.hooks ?? {}).map(([event, target]) => [event, shownTarget(target)]),
    ),
  };
}

async function withLease(context: ProfilesContext, status: ProfileStatus, manifest: Manifest): Promise<ProfileStatus> {
  if (manifest.lease === undefined) return status;
  const { withLiveLease } = await import("./lease-status.ts");
  return withLiveLease(context, status, manifest, LEASE_TIMEOUT_MS);
}
