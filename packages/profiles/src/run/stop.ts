/**
 * Stops a profile: asks its keeper, or where that is gone ends the orphaned gateway itself. Signals go to verified
 * identities of this very profile only. Success means that the tree is gone and its port is free.
 */
import {
  findRunProcesses,
  judgeProcess,
  LockkeeperError,
  probeListener,
  type ProcessIdentity,
  type RunRecord,
  signalProcess,
  type StopOrder,
  stopProcessTree,
} from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { sweepLeftover } from "../status/leftover.ts";
import type { Manifest } from "../manifest.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { latestRun } from "../status/locked-run.ts";
import { holdersOf } from "./explain-failure.ts";
import { belongsToRun, isInsideRun } from "./inside-run.ts";
import { pause, unlessAborted } from "../interruptible.ts";
import { observeForStop, observeManifest, type ProfileObservation, statusOf } from "../status/observe-profile.ts";

/** How a stop is made and waited for. */
export interface StopOptions {
  /** From the request to SIGKILL, in milliseconds; it can only be shorter than the kind's own. @default by kind */
  readonly timeoutMs?: number | undefined;
  /** The caller knows that it is part of the gateway and will end with it. @default false */
  readonly stopMyself?: boolean | undefined;
  /** Aborted: no longer waits; what was asked for goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Called with one line of progress at a time. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What was true when the stop returned. */
export interface StopResult {
  /** `handed-over`: this process is part of the gateway; once it has ended, a process outside of it does the stop. */
  readonly outcome: "stopped" | "already-stopped" | "handed-over";
  readonly status: ProfileStatus;
}

/** What a keeper needs beyond the gateway's own deadline: to kill, verify and publish. In milliseconds. */
const keeperGraceMs = 5_000;
/** Stray processes of an ended run get this long to end by themselves, in milliseconds. */
const strayTimeoutMs = 2_000;
const pollMs = 20;
const progressEveryMs = 5_000;

/**
 * Stops the profile. On return its process tree is gone and its port is not held by it any more. Works without a
 * registry, from what the keeper published.
 *
 * @throws {LockkeeperError} STOP_INCOMPLETE naming what still lives or holds the port; RECORD_UNVERIFIED when the
 *   recorded process cannot be told apart from a stranger; CONFIRMATION_NEEDED from inside the gateway.
 */
export async function stopProfile(
  context: ProfilesContext,
  name: string,
  options: StopOptions = {},
): Promise<StopResult> {
  const before = observeForStop(context, name);
  const { manifest } = before;
  if (isInsideRun(context, before)) {
    if (options.stopMyself !== true) throw wouldStopItself(manifest.name);
    const { handOver } = await import("./hand-over.ts");
    await handOver(context, manifest, "stop", options.timeoutMs);
    return { outcome: "handed-over", status: statusOf(context, before) };
  }
  const stopped = await stopObserved(context, before, options);
  const after = observeManifest(context, manifest);
  return { outcome: stopped ? "stopped" : "already-stopped", status: statusOf(context, after) };
}

/** Stops what was observed; false when nothing of it lived. */
export async function stopObserved(
  context: ProfilesContext,
  { manifest, record, observed }: ProfileObservation,
  options: StopOptions,
): Promise<boolean> {
  if (observed.state === "external") throw notOurs(manifest.name, observed.gateway);
  if (record === undefined) return false;
  const { keeper, gateway } = observed;
  if (keeper === null && gateway === null) {
    const strays = await endStrays(context, manifest, record);
    if (observed.leftover) await sweepLeftover(context.home, manifest);
    return strays;
  }
  const timeoutMs = options.timeoutMs ?? kinds[manifest.kind].stopTimeoutMs;
  options.onProgress?.("stopping");
  if (keeper !== null) {
    await stopByKeeper(manifest.name, keeper, timeoutMs, options);
  }
  const after = latestRun(context.home, manifest) ?? record;
  // Its keeper let the lock go, and somebody has started the profile again: that run is not the one to be stopped.
  if (after.nonce !== record.nonce) return true;
  // A keeper's word counts: it publishes "stopped" only of a tree that is gone.
  if (after.state === "stopped") return requireFreePort(context, manifest, record);
  const order: StopOrder = {
    leader: after.gateway ?? gateway,
    nonce: record.nonce,
    host: record.host,
    ports: Object.values(record.ports),
    timeoutMs: keeper === null ? timeoutMs : strayTimeoutMs,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  };
  const { outcome, detail } = await unlessAborted(stopProcessTree(order), options.signal);
  if (outcome !== "stopped") throw stopIncomplete(manifest, record, detail ?? "its processes are still there");
  await sweepLeftover(
    context.home,
    manifest,
    keeper === null ? "the orphan was stopped" : "its keeper had to be killed",
  );
  return requireFreePort(context, manifest, record);
}

/**
 * Ends what an ended run has left: found by its nonce, so a later run is never touched. False when there was nothing, or
 * when we are a part of it ourselves: the shell of somebody who picks up the pieces.
 */
export async function endStrays(context: ProfilesContext, manifest: Manifest, record: RunRecord): Promise<boolean> {
  const { nonce, host } = record;
  if (belongsToRun(context, record)) return false;
  if (findRunProcesses({ leader: null, nonce }).length === 0) return false;
  const result = await stopProcessTree({ leader: null, nonce, host, ports: [], timeoutMs: strayTimeoutMs });
  if (result.outcome !== "stopped") throw stopIncomplete(manifest, record, result.detail ?? "strays are still there");
  return true;
}

/** Asks the keeper, once politely and once, past the deadline, with force; returns when it is gone. */
async function stopByKeeper(
  name: string,
  keeper: ProcessIdentity,
  timeoutMs: number,
  { signal, onProgress }: StopOptions,
): Promise<void> {
  const gone = async (waitMs: number): Promise<boolean> => {
    const startedAt = performance.now();
    let sayAt = startedAt + progressEveryMs;
    while (judgeProcess(keeper) !== "gone") {
      const now = performance.now();
      if (now >= startedAt + waitMs) return false;
      if (now >= sayAt) {
        sayAt += progressEveryMs;
        onProgress?.(`stopping: ${Math.round((now - startedAt) / 1_000)} s of ${Math.round(waitMs / 1_000)} s`);
      }
      await pause(pollMs, signal);
    }
    return true;
  };
  for (const waitMs of [timeoutMs, keeperGraceMs]) {
    if (signalProcess(keeper, "SIGTERM") === "refused") {
      throw new LockkeeperError(
        "RECORD_UNVERIFIED",
        `the keeper of ${name} (pid ${keeper.pid}) cannot be verified, so nothing was signalled`,
        { hint: "Run it as the same user and in the same container as the keeper." },
      );
    }
    // A paused keeper gets to see the request only once it runs again.
    signalProcess(keeper, "SIGCONT");
    if (await gone(waitMs)) return;
  }
  // It neither stopped nor let itself be forced: end it, and what it leaves is stopped like any orphan.
  signalProcess(keeper, "SIGKILL");
  await gone(keeperGraceMs);
}

async function requireFreePort(context: ProfilesContext, manifest: Manifest, record: RunRecord): Promise<true> {
  if ((await probeListener(record.host, record.port)) !== "listening") return true;
  if (latestRun(context.home, manifest)?.nonce !== record.nonce) return true;
  throw stopIncomplete(manifest, record, `its processes are gone, but port ${record.port} is held`);
}

function stopIncomplete({ name }: Manifest, { host, port }: RunRecord, detail: string): LockkeeperError {
  return new LockkeeperError("STOP_INCOMPLETE", `${name} is not stopped: ${detail}`, {
    evidence: holdersOf(host, port),
    hint: `lockkeeper status ${name}`,
  });
}

function wouldStopItself(name: string): LockkeeperError {
  return new LockkeeperError(
    "CONFIRMATION_NEEDED",
    `this command runs inside the gateway of ${name} and would end itself`,
    {
      hint: `lockkeeper restart ${name} comes back; lockkeeper stop ${name} --yes-stop-myself does not.`,
    },
  );
}

/** Signals go to what a keeper of ours recorded; this gateway has another manager, who would start it again. */
function notOurs(name: string, gateway: ProcessIdentity | null): LockkeeperError {
  return new LockkeeperError(
    "RECORD_UNVERIFIED",
    `${name} is run by somebody else${gateway === null ? "" : ` (pid ${gateway.pid})`}, so nothing was signalled`,
    { hint: `Bring it under a keeper first: lockkeeper takeover ${name}` },
  );
}
