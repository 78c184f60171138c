/**
 * Stops a profile: asks its keeper or, without a keeper, ends the orphaned gateway itself. Signals go only to verified
 * processes of this profile. Success means that the process tree has ended and the port is free.
 */
import { LockkeeperError } from "@lockkeeper/core";
import {
  describeSpared,
  findOutsideSockets,
  isResting,
  mayBeSignalled,
  probeListener,
  stopProcessTree,
} from "@lockkeeper/core/internal";
import type { ProcessIdentity, RunRecord } from "@lockkeeper/core";
import type { SparedProcess, StopOrder } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { findHandedOn, HANDED_ON, howToEnd } from "../ports/handed-on.ts";
import { describeListeners } from "../ports/listener-verdict.ts";
import { settleStopped, sweepLeftover } from "../status/leftover.ts";
import { asStarted } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { holdersOf } from "./explain-failure.ts";
import { isInsideRun } from "./inside-run.ts";
import { endsContainer } from "./main-process.ts";
import { bondOfRun, unverified } from "./run-bond.ts";
import { stillSpared } from "../status/run-records.ts";
import { findSpared, sparingOf } from "./sparing.ts";
import { stopKeeper } from "./stop-keeper.ts";
import type { StopWish } from "./stop-keeper.ts";
import { endStrays, STRAY_TIMEOUT_MS } from "./strays.ts";
import { pause, unlessAborted } from "../interruptible.ts";
import { hasRun, observeBriefly, observeForStop, observeManifest, statusOf } from "../status/observe-profile.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";

/** Options of a stop. */
export interface StopOptions extends StopWish {
  /** The caller accepts that it is part of the gateway and ends with it. @default false */
  readonly stopMyself?: boolean | undefined;
}

/** The result of a stop. */
export interface StopResult {
  /**
   * `killed`: it is stopped, but did not end by itself in time. `handed-over`: this process is part of the gateway; when it
   * has ended, a process outside does the stop.
   */
  readonly outcome: "stopped" | "killed" | "already-stopped" | "handed-over";
  /** Living processes that were started inside the gateway and spared. */
  readonly spared: readonly SparedProcess[];
  readonly status: ProfileStatus;
}

/** A sweep of a leftover holds the lock for milliseconds, and a keeper publishes nothing for as long. */
const LOOKERS_MS = 500;
const LOOK_AGAIN_MS = 20;

/**
 * Stops the profile. On return its process tree has ended and no longer holds its port. Works without a registry, from the
 * keeper's record.
 *
 * @throws {LockkeeperError} STOP_INCOMPLETE naming the process that still lives or holds the port; RECORD_UNVERIFIED when the
 * recorded process may be a stranger; CONFIRMATION_NEEDED from inside the gateway.
 */
export async function stopProfile(
  context: ProfilesContext,
  name: string,
  options: StopOptions = {},
): Promise<StopResult> {
  const before = await observeSettled(context, name, options.signal);
  const { manifest } = before;
  if (isInsideRun(context, before)) {
    if (options.stopMyself !== true) throw wouldStopItself(manifest.name);
    const { handOver } = await import("./hand-over.ts");
    await handOver(context, before, "stop", options.timeoutMs);
    return { outcome: "handed-over", spared: [], status: statusOf(context, before) };
  }
  const stopped = await stopObserved(context, before, options);
  const wasAtRest = before.observed.state === "stopped" && !before.observed.leftover;
  const after = stopped === "already-stopped" && wasAtRest ? before : observeBriefly(context, manifest);
  return { outcome: stopped, spared: stillSpared(after.record), status: statusOf(context, after) };
}

/** Returns the profile as it is when no command holds it still, or after a while as it is then. */
async function observeSettled(
  context: ProfilesContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ProfileObservation> {
  const patience = performance.now() + LOOKERS_MS;
  for (;;) {
    const seen = observeForStop(context, name);
    if (seen.observed.owner !== "unclear" || performance.now() >= patience) return seen;
    await pause(LOOK_AGAIN_MS, signal);
  }
}

/** The result of ending a run. */
type Stopped = Exclude<StopResult["outcome"], "handed-over">;

/** Stops the observed profile. */
export async function stopObserved(
  context: ProfilesContext,
  observation: ProfileObservation,
  options: StopOptions,
): Promise<Stopped> {
  const { manifest, record, observed } = observation;
  if (observed.state === "external") throw notOurs(manifest.name, observed.gateway);
  if (observed.owner === "elsewhere" || observed.owner === "unclear") throw outOfReach(observation);
  if (record === undefined) {
    if (observed.leftover) await sweepLeftover(context.home, manifest);
    if (hasRun(manifest)) await (await import("./unrecorded.ts")).refuseUnrecorded(context, manifest);
    return "already-stopped";
  }
  const { keeper, gateway } = observed;
  if (observed.owner === "nobody") return clearEnded(context, observation, record, options);
  const bond = bondOfRun(context, manifest, record);
  const ownMs = record.stopTimeoutMs ?? manifest.stopTimeoutMs ?? kinds[manifest.kind].stopTimeoutMs;
  const timeoutMs = options.timeoutMs ?? ownMs;
  const willSpare = findSpared(context, manifest, record);
  const withIt = endsContainer(observation)
    ? "; its keeper is the main process of this container, which ends with it"
    : "";
  options.onProgress?.(
    `${willSpare.length === 0 ? "stopping" : `stopping, except for ${describeSpared(willSpare)}`}${withIt}`,
  );
  const how =
    keeper === null ? "absent" : await stopKeeper(context, { manifest, record, keeper, bond, timeoutMs }, options);
  // Where its keeper says that it has stopped and the lock file is gone, the kernel is not asked: `down` would wait for it each time.
  const after = observeBriefly(context, manifest);
  const last = after.record ?? record;
  // Its keeper released the lock, and the profile was started again: that is another run, which must not be stopped.
  if (last.nonce !== record.nonce) return "stopped";
  // The keeper can be trusted here: it publishes "stopped" only after the tree has ended.
  if (last.state === "stopped") {
    await requireFreePort(context, manifest, record);
    return last.killed === true ? "killed" : "stopped";
  }
  const leader = last.gateway ?? gateway;
  if (leader !== null && mayBeSignalled(leader, bond) === "no") throw unverified(manifest.name, "gateway", leader);
  const { nonce, host, ports } = record;
  const run = { leader, nonce, profile: manifest.name, home: context.home, known: gateway === null ? [] : [gateway] };
  const outside = asStarted(manifest, record).health === "none" ? findOutsideSockets(record, run) : [];
  const order: StopOrder = {
    ...run,
    sparing: sparingOf(manifest, record),
    host,
    ports: Object.values(ports),
    timeoutMs: keeper === null ? timeoutMs : STRAY_TIMEOUT_MS,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  };
  const ended = await unlessAborted(stopProcessTree(order), options.signal);
  const { killed, detail, spared, survivors } = ended;
  const left: RunRecord = outside.length === 0 ? record : { ...record, outside };
  const isTreeGone = survivors.length === 0 && findHandedOn(left).length > 0;
  if (ended.outcome !== "stopped" && !isTreeGone) throw stopIncomplete(manifest, record, detail);
  await sweepLeftover(context.home, manifest, REASONS[how], { spared, outside });
  requireNothingHandedOn(manifest, left);
  await requireFreePort(context, manifest, record);
  return killed ? "killed" : "stopped";
}

/** Why a run is over whose keeper has not said so itself. A program that embeds a keeper may end at SIGTERM without a word. */
const REASONS = {
  absent: "the orphan was stopped",
  ended: "its keeper ended without stopping it",
  killed: "its keeper had to be killed",
};

/** Nobody owns the profile: the remains of its last run are ended, and its record is out of date. */
async function clearEnded(
  context: ProfilesContext,
  { manifest, observed }: ProfileObservation,
  record: RunRecord,
  options: StopOptions,
): Promise<Stopped> {
  const strays = await endStrays(context, manifest, record, ({ detail }) => stopIncomplete(manifest, record, detail));
  if (strays === "owned") {
    // The record is wrong, or another run has begun, which was not meant.
    const now = observeManifest(context, manifest);
    if (now.observed.owner !== "nobody" && now.record?.nonce === record.nonce) {
      return stopObserved(context, now, options);
    }
  }
  if (observed.leftover) await sweepLeftover(context.home, manifest);
  else if (record.state !== "stopped") await settleStopped(context.home, manifest);
  requireNothingHandedOn(manifest, observed.leftover ? (observeManifest(context, manifest).record ?? record) : record);
  return strays === "ended" ? "stopped" : "already-stopped";
}

async function requireFreePort(context: ProfilesContext, manifest: Manifest, record: RunRecord): Promise<void> {
  if ((await probeListener(record.host, record.port)) !== "listening") return;
  const last = observeBriefly(context, manifest).record;
  if (last === undefined || last.nonce !== record.nonce) return;
  requireNothingHandedOn(manifest, last);
  throw stopIncomplete(manifest, record, `its processes are gone, but port ${record.port} is held`);
}

/** What its command handed its work to goes on: it is named, each time, with the way to end it. */
function requireNothingHandedOn({ name }: Manifest, record: RunRecord): void {
  const listeners = findHandedOn(record);
  if (listeners.length === 0) return;
  const ports = [...new Set(listeners.map(({ port }) => port))].join(", ");
  throw new LockkeeperError(
    "STOP_INCOMPLETE",
    `${name} is not stopped: its process tree is gone, but port ${ports} is held; ${HANDED_ON}`,
    { evidence: describeListeners(listeners), hint: howToEnd(listeners) },
  );
}

function stopIncomplete({ name }: Manifest, { host, port }: RunRecord, detail: string): LockkeeperError {
  return new LockkeeperError("STOP_INCOMPLETE", `${name} is not stopped: ${detail}`, {
    evidence: holdersOf(host, port),
    hint: `lockkeeper status ${name}`,
  });
}

/** The profile has or may have an owner, but no process of it is visible from here. */
export function outOfReach({
  manifest: { name },
  observed: { owner, state, reason },
}: ProfileObservation): LockkeeperError {
  if (owner === "unclear" && state !== "orphaned" && state !== "external" && isResting(state)) {
    const fact =
      "is held by a process that has published no run of it: another command may be copying, moving or clearing it, or a process of its last run lives on where this host hides it";
    return new LockkeeperError("RECORD_UNVERIFIED", `${name} ${fact}, so nothing was signalled`, {
      hint: `Look again a little later: lockkeeper status ${name}`,
    });
  }
  const fact = owner === "unclear" ? `${name}: ${reason}` : `${name} ${reason ?? "runs elsewhere"}`;
  return new LockkeeperError("RECORD_UNVERIFIED", `${fact}, so nothing was signalled`, {
    hint: `Run it there, as the user that started it: lockkeeper stop ${name}`,
  });
}

/** Returns the error for a stop that would end the asking process. */
export function wouldStopItself(name: string): LockkeeperError {
  return new LockkeeperError(
    "CONFIRMATION_NEEDED",
    `this command runs inside the gateway of ${name} and would end itself`,
    {
      hint: `To end it all the same (restart would come back): lockkeeper stop ${name} --yes-stop-myself`,
    },
  );
}

/** Signals go only to processes that our keeper recorded; this gateway has another manager, which would restart it. */
function notOurs(name: string, gateway: ProcessIdentity | null): LockkeeperError {
  return new LockkeeperError(
    "RECORD_UNVERIFIED",
    `${name} is run by somebody else${gateway === null ? "" : ` (pid ${gateway.pid})`}, so nothing was signalled`,
    { hint: `Bring it under a keeper first: lockkeeper takeover ${name}` },
  );
}
