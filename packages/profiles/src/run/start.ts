/**
 * Starts a profile: a detached keeper, and the wait until the gateway is ready. Any number of starters may run at
 * once: the lock decides whose keeper stays, and the others watch what it publishes.
 */
import {
  findHolders,
  LockkeeperError,
  probeListener,
  readGatewayLock,
  readListeners,
  shellCommand,
} from "@lockkeeper/core";
import type { GatewayLockError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import type { Manifest } from "../manifest.ts";
import { lockPlace } from "../profile-paths.ts";
import { membershipOf } from "../ports/listener-verdict.ts";
import { askHealth } from "../status/ask-health.ts";
import type { ObservedState } from "../status/observed-state.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { explainFailure } from "./explain-failure.ts";
import { isInsideRun } from "./inside-run.ts";
import { pause, throwIfAborted } from "../interruptible.ts";
import { requirePreflight } from "./preflight.ts";
import { launchKeeper } from "./launch-keeper.ts";
import { portHint } from "./port-hint.ts";
import { describeStart } from "./start-progress.ts";
import { observeManifest, observeProfile, statusOf } from "../status/observe-profile.ts";
import type { ProfileObservation } from "../status/observe-profile.ts";
import { outOfReach, stopObserved } from "./stop.ts";
import { warnOfWideBind } from "../wide-bind.ts";

/** How a start is made and waited for. */
export interface StartOptions {
  /** How long to wait for readiness, in milliseconds; the gateway goes on starting afterwards. @default by kind */
  readonly timeoutMs?: number | undefined;
  /** Base port for this run only; survives restarts after crashes. @default the profile's own */
  readonly port?: number | undefined;
  /** End a living owner that is silent, still starting or without a keeper, then start. @default false */
  readonly replace?: boolean | undefined;
  /** Whether to wait, in the background, while another host owns the profile. @default what its lease says */
  readonly standby?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with one line of progress at a time. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What was true when the start returned. */
export interface StartResult {
  /** `standby`: another host owns the lease; the keeper waits for it and starts the gateway then. */
  readonly outcome: "started" | "already-running" | "orphaned" | "standby";
  readonly status: ProfileStatus;
}

/** Between two looks at what another starter's keeper has published, in milliseconds. */
const POLL_MS = 20;
/** A running gateway that answers nothing for this long is unresponsive, whatever its keeper says yet. In milliseconds. */
const SILENCE_MS = 5_000;

/** What this start has seen so far. */
interface Story {
  /** Our own keeper said that the gateway is ready. */
  readonly started: boolean;
  /** Somebody was seen to be starting it: how that ends is our answer too, and it is not tried all over again. */
  readonly watched: boolean;
  /** Who refused our keeper the lock. */
  readonly refused: GatewayLockError | undefined;
}

/** What to do about a profile that is as observed. */
type Step = "serves" | "listen" | "external" | "unresponsive" | "standby" | "wait" | "explain" | "refused" | "launch";

/** Returns the next step of a start. Pure. */
export function nextStep({ state, owner }: ObservedState, { started, watched, refused }: Story): Step {
  // Only taking the lock can tell; a keeper of ours tries.
  if (owner === "unclear") return refused === undefined ? "launch" : "refused";
  switch (state) {
    case "running":
    case "orphaned":
      // What our own keeper has just told needs no second look.
      return started ? "serves" : "listen";
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
 * Starts the profile. On return its lock is ours, the listener on its port belongs to its process tree, it is healthy
 * and published as running; or that was so already; or an orphan, which no keeper watches, goes on; or its keeper stands
 * by for a lease that another host has.
 *
 * @throws {GatewayLockError} PORT_IN_USE, LOCK_HELD.
 * @throws {LockkeeperError} GATEWAY_UNHEALTHY for a living but unresponsive gateway, GATEWAY_EXITED, COMMAND_NOT_FOUND,
 *   LISTENER_MISMATCH, PORTS_OVERLAP, STILL_STARTING at the deadline; CONFIRMATION_NEEDED for a replacement of the very
 *   gateway that this process is part of.
 */
export async function startProfile(
  context: ProfilesContext,
  name: string,
  options: StartOptions = {},
): Promise<StartResult> {
  let observation = observeProfile(context, name);
  const { manifest } = observation;
  if (options.replace === true) observation = await endSilentOwner(context, observation, options);
  const timeoutMs = options.timeoutMs ?? kinds[manifest.kind].startTimeoutMs;
  const deadline = performance.now() + timeoutMs;
  let story: Story = { started: false, watched: false, refused: undefined };
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
      case "serves":
        return done(state === "orphaned" ? "orphaned" : "started");
      case "standby": {
        if (options.standby === false) throw heldElsewhere(observation);
        const { withLiveLease } = await import("../status/lease-status.ts");
        return { outcome: "standby", status: await withLiveLease(context, statusOf(context, observation), manifest) };
      }
      case "unresponsive":
        throw unresponsive(observation, observation.observed.reason);
      case "explain":
        throw await explainFailure(context, manifest, observation.record);
      case "wait":
        if (!story.watched) options.onProgress?.(describeWatched(observation));
        story = { ...story, watched: true };
        break;
      case "refused":
        // The same owner still holds the lock and has published nothing: it is no keeper of ours, and waiting will not help.
        if (story.refused !== undefined && ownerOf(manifest) === story.refused.ownerPid) throw story.refused;
        story = { ...story, refused: undefined };
        continue;
      case "launch": {
        const result = await launchKeeper(context, observation, options, deadline);
        if (result.kind === "ended") throw await explainFailure(context, manifest, result.record);
        if (result.kind === "running") story = { ...story, started: true };
        if (result.kind === "held") story = { ...story, watched: true, refused: result.error };
      }
    }
    if (!story.started) await pause(POLL_MS, options.signal);
    observation = observeManifest(context, manifest);
  } while (performance.now() < deadline);
  const { state } = observation.observed;
  const { reason } = observation.observed;
  throw new LockkeeperError("STILL_STARTING", `${name} is still ${state} after ${timeoutMs} ms`, {
    evidence: reason === null ? describeSoFar(observation) : [reason],
    hint: await hintOnSlowness(context, observation),
  });
}

/**
 * Asks a gateway that should serve, for what was published may be some seconds old, and an orphan may be dying. One
 * missed answer is no silence: it may be restarting itself. `changed`: the profile is in another state by now.
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
    if ((await askHealth(now, now.record)) !== "failing") return "serves";
    if (performance.now() >= patience) return "silent";
    await pause(POLL_MS, signal);
  }
}

/** Ends whoever owns the profile and does not serve; returns what there is to start from. */
async function endSilentOwner(
  context: ProfilesContext,
  observation: ProfileObservation,
  options: StartOptions,
): Promise<ProfileObservation> {
  const { manifest, observed } = observation;
  if (observed.owner === "nobody") return observation;
  if (observed.owner === "elsewhere") throw outOfReach(observation);
  // Only taking the lock can tell whether there is somebody to replace.
  if (observed.owner === "unclear") return observation;
  if (observed.state === "running" && (await listenTo(context, observation, options.signal)) !== "silent") {
    return observeManifest(context, manifest);
  }
  if (isInsideRun(context, observation)) {
    throw new LockkeeperError("CONFIRMATION_NEEDED", `this command runs inside the gateway of ${manifest.name}`, {
      hint: `Replace it from outside: lockkeeper restart ${manifest.name}`,
    });
  }
  await requirePreflight(context, manifest, "nothing was replaced", { port: options.port });
  options.onProgress?.(`replacing a gateway that is ${observed.state}`);
  await stopObserved(context, observation, { signal: options.signal, onProgress: options.onProgress });
  return observeManifest(context, manifest);
}

function describeSoFar({ manifest, record }: ProfileObservation): readonly string[] {
  return record === undefined ? [] : [describeStart(manifest, record)];
}

/** Somebody else started it, or is stopping it; this start waits for how that ends. */
function describeWatched({ manifest, observed: { state }, record }: ProfileObservation): string {
  const isStarting = state === "starting" && record !== undefined;
  return `already ${isStarting ? describeStart(manifest, record) : state}`;
}

function ownerOf({ paths }: Manifest): number | undefined {
  return readGatewayLock(lockPlace(paths))?.pid;
}

/** A gateway without a port of its own would be waited for in vain, for ever. */
async function hintOnSlowness({ home }: ProfilesContext, observation: ProfileObservation): Promise<string> {
  const { manifest, record } = observation;
  const { name, health, host } = manifest;
  const isSilent = record !== undefined && (await probeListener(host, record.port)) === "silent";
  const look = `It goes on by itself; look again with: ${shellCommand("lockkeeper", "status", name)}`;
  if (health === "none" || !isSilent) return look;
  if (listensAnywhere(home, observation)) return portHint(manifest) ?? look;
  return `If it opens no port at all: ${shellCommand("lockkeeper", "edit", name, "--health", "none")}`;
}

function listensAnywhere(home: string, observation: ProfileObservation): boolean {
  const listeners = readListeners();
  if (listeners === "unknown") return false;
  const isOwn = membershipOf({ home }, observation);
  return [...findHolders(listeners).values()].some(({ pid }) => isOwn(pid));
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
