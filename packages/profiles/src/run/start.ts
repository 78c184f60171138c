/**
 * Starts a profile: a detached keeper, and the wait until the gateway is ready. Any number of starters may run at
 * once: the lock decides whose keeper stays, and the others watch what it publishes.
 */
import { LockkeeperError } from "@lockkeeper/core";
import { readGatewayLock } from "@lockkeeper/core/internal";
import type { GatewayLockError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import { askHealth } from "../status/ask-health.ts";
import { observeKept } from "../status/observed-state.ts";
import type { ObservedState } from "../status/observed-state.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import type { explainFailure } from "./explain-failure.ts";
import { isInsideRun } from "./inside-run.ts";
import { pause, throwIfAborted } from "../interruptible.ts";
import { launchKeeper } from "./launch-keeper.ts";
import { describeStart } from "./start-progress.ts";
import { requireManifest } from "../registry/registry.ts";
import { observeBriefly, observeManifest, statusOf } from "../status/observe-profile.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { warnOfWideBind } from "../wide-bind.ts";

/** Options of a start. */
export interface StartOptions {
  /** How long to wait for readiness; the gateway goes on starting afterwards. @default by kind */
  readonly timeoutMs?: number | undefined;
  /** Base port for this run only; survives restarts after crashes. @default the profile's own */
  readonly port?: number | undefined;
  /** First end a living owner that is silent, still starting or without a keeper. @default false */
  readonly replace?: boolean | undefined;
  /** Whether to wait, in the background, while another host owns the profile. @default the lease's own setting */
  readonly standby?: boolean | undefined;
  /** What asks for it, for the history, as one line without secrets: `"lockkeeper up"`. @default "lockkeeper start" */
  readonly startedBy?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with one line of progress at a time. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** The result of a start. */
export interface StartResult {
  /** `standby`: another host owns the lease; the keeper waits for it and starts the gateway then. */
  readonly outcome: "started" | "already-running" | "orphaned" | "standby";
  readonly status: ProfileStatus;
}

/** Pause between two reads of another keeper's record. */
const POLL_MS = 20;
/** A running gateway that is silent for this long is unresponsive, whatever its keeper says. */
const SILENCE_MS = 5_000;

/** What this start knows so far. */
interface Story {
  /** Another start was in progress: its result is our answer too, and we do not try again. */
  readonly watched: boolean;
  /** The owner that refused our keeper the lock. */
  readonly refused: GatewayLockError | undefined;
}

/** The next step for an observed profile. */
type Step = "listen" | "external" | "unresponsive" | "standby" | "wait" | "explain" | "refused" | "launch";

/** Returns the next step of a start. Pure. */
export function nextStep({ state, owner }: ObservedState, { watched, refused }: Story): Step {
  // Only an attempt to take the lock can tell, so our keeper tries.
  if (owner === "unclear") return refused === undefined ? "launch" : "refused";
  switch (state) {
    case "running":
    case "orphaned":
      return "listen";
    case "external":
    case "unresponsive":
    case "standby":
      return state;
    case "starting":
    case "stopping":
      return "wait";
    case "failed":
    case "blocked":
      if (watched) return "explain";
      break;
    case "stopped":
  }
  return refused === undefined ? "launch" : "refused";
}

/**
 * Starts the profile. On return its lock is held, the listener on its port belongs to its process tree, and it is healthy and
 * published as running. Or it ran already; or it goes on as an orphan without a keeper; or its keeper waits for a lease that
 * another host has.
 *
 * @throws {GatewayLockError} PORT_IN_USE, LOCK_HELD.
 * @throws {LockkeeperError} GATEWAY_UNHEALTHY for a living but unresponsive gateway, GATEWAY_EXITED, COMMAND_NOT_FOUND,
 * LISTENER_MISMATCH, PORTS_OVERLAP, STILL_STARTING at the deadline; CONFIRMATION_NEEDED for a replacement of the gateway that
 * this process is part of.
 */
export async function startProfile(
  context: ProfilesContext,
  name: string,
  options: StartOptions = {},
): Promise<StartResult> {
  const manifest = requireManifest(context.home, name, context.owner);
  let observation =
    options.replace === true
      ? await endSilentOwner(context, observeManifest(context, manifest), options)
      : observeBriefly(context, manifest);
  const timeoutMs = options.timeoutMs ?? kinds[manifest.kind].startTimeoutMs;
  const deadline = performance.now() + timeoutMs;
  let story: Story = { watched: false, refused: undefined };
  const done = (outcome: StartResult["outcome"]): StartResult => {
    warnOfWideBind(manifest, options.port);
    return { outcome, status: statusOf(context, observation) };
  };
  do {
    throwIfAborted(options.signal);
    const { state } = observation.observed;
    switch (nextStep(observation.observed, story)) {
      case "external":
        return done("already-running");
      case "listen": {
        const heard = await listenTo(context, observation, options.signal);
        if (heard === "silent") throw unresponsive(observation, `no answer for ${SILENCE_MS} ms`);
        if (heard === "changed") break;
        return done(state === "orphaned" ? "orphaned" : "already-running");
      }
      case "standby": {
        if (options.standby === false) throw heldElsewhere(observation);
        const { withLiveLease } = await import("../status/lease-status.ts");
        return { outcome: "standby", status: await withLiveLease(context, statusOf(context, observation), manifest) };
      }
      case "unresponsive":
        throw unresponsive(observation, observation.observed.reason);
      case "explain":
        throw await explain(context, manifest, observation.record);
      case "wait":
        if (!story.watched) options.onProgress?.(describeWatched(observation));
        story = { ...story, watched: true };
        break;
      case "refused":
        // The same owner still holds the lock and has published nothing: it is not our keeper, and waiting will not help.
        if (story.refused !== undefined && isStillTheOwner(manifest, story.refused)) throw story.refused;
        story = { ...story, refused: undefined };
        continue;
      case "launch": {
        const result = await launchKeeper(context, observation, options, deadline);
        if (result.kind === "ended") throw await explain(context, manifest, result.record);
        if (result.kind === "running") {
          // Our own keeper has just looked: a second look would tell nothing else.
          observation = { manifest, record: result.record, observed: observeKept(result.record) };
          return done("started");
        }
        if (result.kind === "held") story = { ...story, watched: true, refused: result.error };
      }
    }
    await pause(POLL_MS, options.signal);
    observation = observeManifest(context, manifest);
  } while (performance.now() < deadline);
  const { state } = observation.observed;
  const { reason } = observation.observed;
  throw new LockkeeperError("STILL_STARTING", `${name} is still ${state} after ${timeoutMs} ms`, {
    evidence: reason === null ? describeSoFar(observation) : [reason],
    hint: await (await import("./slowness-hint.ts")).hintOnSlowness(context, observation),
  });
}

/**
 * Asks a gateway that should serve, because its record may be some seconds old, and an orphan may be dying. One missed answer
 * does not count as silence: it may be restarting itself. `changed`: the profile is in another state by now.
 */
async function listenTo(
  context: ProfilesContext,
  { manifest, observed: { state } }: ProfileObservation,
  signal: AbortSignal | undefined,
): Promise<"serves" | "silent" | "changed"> {
  const patience = performance.now() + SILENCE_MS;
  for (;;) {
    const now = observeManifest(context, manifest);
    if (now.observed.state !== state || now.record === undefined) return "changed";
    if ((await askHealth(context, now, now.record)) !== "failing") return "serves";
    if (performance.now() >= patience) return "silent";
    await pause(POLL_MS, signal);
  }
}

/** Loaded only when a start has failed. */
async function explain(...failure: Parameters<typeof explainFailure>): ReturnType<typeof explainFailure> {
  return (await import("./explain-failure.ts")).explainFailure(...failure);
}

/** Ends an owner that does not serve; returns the new observation. Its modules are loaded only for `replace`. */
async function endSilentOwner(
  context: ProfilesContext,
  observation: ProfileObservation,
  options: StartOptions,
): Promise<ProfileObservation> {
  const { manifest, observed } = observation;
  if (observed.owner === "nobody") return observation;
  const { outOfReach, stopObserved } = await import("./stop.ts");
  if (observed.owner === "elsewhere") throw outOfReach(observation);
  // Only an attempt to take the lock can tell whether there is an owner to replace.
  if (observed.owner === "unclear") return observation;
  if (observed.state === "running" && (await listenTo(context, observation, options.signal)) !== "silent") {
    return observeManifest(context, manifest);
  }
  if (isInsideRun(context, observation)) {
    throw new LockkeeperError("CONFIRMATION_NEEDED", `this command runs inside the gateway of ${manifest.name}`, {
      hint: `Replace it from outside: lockkeeper restart ${manifest.name}`,
    });
  }
  const { requireStartAfterStop } = await import("./main-process.ts");
  requireStartAfterStop(observation, "nothing was replaced");
  const { requirePreflight } = await import("./preflight.ts");
  await requirePreflight(context, manifest, "nothing was replaced", { port: options.port });
  options.onProgress?.(`replacing a gateway that is ${observed.state}`);
  await stopObserved(context, observation, { signal: options.signal, onProgress: options.onProgress });
  return observeManifest(context, manifest);
}

function describeSoFar({ manifest, record }: ProfileObservation): readonly string[] {
  return record === undefined ? [] : [describeStart(manifest, record)];
}

/** Another command is starting or stopping it; this start waits for the result. */
function describeWatched({ manifest, observed: { state }, record }: ProfileObservation): string {
  const isStarting = state === "starting" && record !== undefined;
  return `already ${isStarting ? describeStart(manifest, record) : state}`;
}

/** An owner that cannot be named was waited for, and another attempt would be refused by it too. */
function isStillTheOwner({ paths }: Manifest, { ownerPid }: GatewayLockError): boolean {
  return ownerPid === undefined || readGatewayLock(lockPlace(paths))?.pid === ownerPid;
}

function heldElsewhere({ manifest: { name }, observed: { reason } }: ProfileObservation): LockkeeperError {
  return new LockkeeperError("LEASE_HELD", `${name} stands by: ${reason ?? "another host owns it"}`, {
    hint: `Its keeper goes on waiting; this ends that: lockkeeper stop ${name}`,
  });
}

function unresponsive(
  { manifest: { name }, observed: { gateway } }: ProfileObservation,
  reason: string | null,
): LockkeeperError {
  const process = gateway === null ? "" : ` (pid ${gateway.pid})`;
  return new LockkeeperError(
    "GATEWAY_UNHEALTHY",
    `${name} runs${process} but is unresponsive: ${reason ?? "no answer"}`,
    { hint: `A start replaces it with --replace; so does this: lockkeeper restart ${name}` },
  );
}
