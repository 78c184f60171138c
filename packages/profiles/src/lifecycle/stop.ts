/**
 * Stops a profile: asks its keeper, or where that is gone ends the orphaned gateway itself. Signals go to verified
 * identities of this very profile only. Success means that the tree is gone and its port is free.
 */
import {
  judgeProcess,
  LockkeeperError,
  probePort,
  type ProcessIdentity,
  signalProcess,
  stopProcessTree,
} from "@lockkeeper/core";
import { setTimeout as delay } from "node:timers/promises";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { sweepLeftover } from "../leftover.ts";
import type { ProfileStatus } from "../profile-status.ts";
import { holdersOf } from "./explain-failure.ts";
import { observeManifest, observeProfile, type ProfileObservation, statusOf } from "./observe-profile.ts";

export interface StopOptions {
  /** From the request to SIGKILL, in milliseconds. @default by kind */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with one line of progress at a time. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

export interface StopResult {
  readonly outcome: "stopped" | "already-stopped";
  readonly status: ProfileStatus;
}

/** What a keeper needs beyond the gateway's own deadline: to kill, verify and publish. In milliseconds. */
const keeperGraceMs = 5_000;
const pollMs = 20;

/**
 * Stops the profile. On return its process tree is gone and its port is not held by it any more.
 *
 * @throws {LockkeeperError} STOP_INCOMPLETE naming what still lives or holds the port; RECORD_UNVERIFIED when the
 *   recorded process cannot be told apart from a stranger.
 */
export async function stopProfile(
  context: ProfilesContext,
  name: string,
  options: StopOptions = {},
): Promise<StopResult> {
  const before = await observeProfile(context, name);
  const stopped = await stopObserved(context, before, options);
  const after = observeManifest(context, before.manifest);
  return { outcome: stopped ? "stopped" : "already-stopped", status: await statusOf(context, after) };
}

/** Stops what was observed; false when nothing lived. */
export async function stopObserved(
  context: ProfilesContext,
  { manifest, record, observed }: ProfileObservation,
  options: StopOptions,
): Promise<boolean> {
  const { keeper, gateway } = observed;
  if (record === undefined || (keeper === null && gateway === null)) {
    if (observed.leftover) await sweepLeftover(context.home, manifest);
    return false;
  }
  const timeoutMs = options.timeoutMs ?? kinds[manifest.kind].stopTimeoutMs;
  options.onProgress?.("stopping");
  if (keeper !== null) {
    await stopByKeeper(manifest.name, keeper, timeoutMs, options.signal);
  }
  const survivor = observeManifest(context, manifest).observed.gateway;
  if (survivor !== null) {
    const result = await stopProcessTree({
      leader: survivor,
      nonce: record.nonce,
      host: record.host,
      port: record.port,
      timeoutMs: keeper === null ? timeoutMs : 0,
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
    if (result.outcome !== "stopped") throw stopIncomplete(manifest.name, result.detail, record.host, record.port);
  }
  await sweepLeftover(context.home, manifest);
  if ((await probePort(record.host, record.port)).verdict === "taken") {
    throw stopIncomplete(
      manifest.name,
      `its processes are gone, but port ${record.port} is held`,
      record.host,
      record.port,
    );
  }
  return true;
}

/** Asks the keeper, once politely and once, past the deadline, with force; returns when it is gone. */
async function stopByKeeper(
  name: string,
  keeper: ProcessIdentity,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const waitMs of [timeoutMs, keeperGraceMs]) {
    if (signalProcess(keeper, "SIGTERM") === "refused") {
      throw new LockkeeperError(
        "RECORD_UNVERIFIED",
        `the keeper of ${name} (pid ${keeper.pid}) cannot be verified, so nothing was signalled`,
        {
          hint: "Run it as the same user and in the same container as the keeper.",
        },
      );
    }
    const deadline = performance.now() + waitMs;
    while (judgeProcess(keeper) !== "gone" && performance.now() < deadline) {
      await delay(pollMs, undefined, signal === undefined ? {} : { signal });
    }
  }
  if (judgeProcess(keeper) === "gone") return;
  // It neither stopped nor let itself be forced: end it, and what it leaves is stopped like any orphan.
  signalProcess(keeper, "SIGKILL");
  const deadline = performance.now() + keeperGraceMs;
  while (judgeProcess(keeper) !== "gone" && performance.now() < deadline) await delay(pollMs);
}

function stopIncomplete(name: string, detail: string, host: string, port: number): LockkeeperError {
  return new LockkeeperError("STOP_INCOMPLETE", `${name} is not stopped: ${detail}`, {
    evidence: holdersOf(host, port),
    hint: `lockkeeper status ${name}`,
  });
}
