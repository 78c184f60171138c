/**
 * Starts a profile: a detached keeper, and the wait until the gateway is ready. Any number of starters may run at
 * once: the lock decides whose keeper stays, and the others watch what it publishes.
 */
import { type GatewayLockError, LockkeeperError } from "@lockkeeper/core";
import { setTimeout as delay } from "node:timers/promises";
import type { ProfilesContext } from "../context.ts";
import { kinds } from "../kinds/kinds.ts";
import { sweepLeftover } from "../leftover.ts";
import type { ObservedState } from "../observed-state.ts";
import type { ProfileStatus } from "../profile-status.ts";
import { explainFailure } from "./explain-failure.ts";
import { launchKeeper } from "./launch-keeper.ts";
import { observeManifest, observeProfile, statusOf } from "./observe-profile.ts";
import { stopObserved } from "./stop.ts";

export interface StartOptions {
  /** How long to wait for readiness, in milliseconds; the gateway goes on starting afterwards. @default by kind */
  readonly timeoutMs?: number | undefined;
  /** Base port for this run only; survives restarts after crashes. @default the profile's own */
  readonly port?: number | undefined;
  /** End a living owner that is silent or starting, then start. @default false */
  readonly replace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with one line of progress at a time. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

export interface StartResult {
  readonly outcome: "started" | "already-running" | "orphaned";
  readonly status: ProfileStatus;
}

/** Between two looks at what another starter's keeper has published, in milliseconds. */
const pollMs = 20;

/**
 * Starts the profile. On return its lock is ours, the listener on its port belongs to its process tree, it is healthy
 * and published as running; or that was so already.
 *
 * @throws {GatewayLockError} PORT_IN_USE, LOCK_HELD.
 * @throws {LockkeeperError} GATEWAY_UNHEALTHY for a living but unresponsive gateway, GATEWAY_EXITED, COMMAND_NOT_FOUND,
 *   LISTENER_MISMATCH, STILL_STARTING at the deadline.
 */
export async function startProfile(
  context: ProfilesContext,
  name: string,
  options: StartOptions = {},
): Promise<StartResult> {
  let observation = await observeProfile(context, name);
  const { manifest } = observation;
  const timeoutMs = options.timeoutMs ?? kinds[manifest.kind].startTimeoutMs;
  const deadline = performance.now() + timeoutMs;
  const state = observation.observed.state;
  if (
    options.replace === true &&
    state !== "running" &&
    (observation.observed.gateway ?? observation.observed.keeper)
  ) {
    options.onProgress?.(`replacing a gateway that is ${state}`);
    await stopObserved(context, observation, options);
    observation = observeManifest(context, manifest);
  }
  // Once somebody was seen to be starting it, how that ended is our answer too: it is not tried all over again.
  let watched = false;
  let outcome: StartResult["outcome"] = "already-running";
  let refused: GatewayLockError | undefined;
  while (performance.now() < deadline) {
    options.signal?.throwIfAborted();
    const { observed, record } = observation;
    switch (observed.state) {
      case "running":
        return { outcome, status: await statusOf(context, observation) };
      case "external":
      case "orphaned":
        return {
          outcome: observed.state === "orphaned" ? "orphaned" : outcome,
          status: await statusOf(context, observation),
        };
      case "unresponsive":
        throw unresponsive(name, observed);
      case "starting":
      case "stopping":
        if (!watched) options.onProgress?.(`${observed.state} already`);
        watched = true;
        break;
      case "failed":
      case "blocked":
      case "stopped": {
        if (watched && observed.state !== "stopped") throw await explainFailure(manifest, record);
        // A second refusal while nothing is published: the owner is no keeper of ours, and waiting will not help.
        if (refused !== undefined) throw refused;
        if (observed.leftover) await sweepLeftover(context.home, manifest);
        const result = await launchKeeper(context, manifest, options, deadline);
        if (result.kind === "running") outcome = "started";
        if (result.kind === "ended") throw await explainFailure(manifest, result.record);
        if (result.kind === "held") {
          refused = result.error;
          watched = true;
        }
        break;
      }
    }
    if (outcome !== "started") await delay(pollMs);
    observation = observeManifest(context, manifest);
  }
  throw new LockkeeperError("STILL_STARTING", `${name} is still ${observation.observed.state} after ${timeoutMs} ms`, {
    hint: `It goes on by itself; look again with: lockkeeper status ${name}`,
  });
}

function unresponsive(name: string, { gateway, reason }: ObservedState): LockkeeperError {
  const process = gateway === null ? "" : ` (pid ${gateway.pid})`;
  return new LockkeeperError(
    "GATEWAY_UNHEALTHY",
    `${name} runs${process} but is unresponsive: ${reason ?? "no answer"}`,
    {
      hint: `lockkeeper restart ${name}, or lockkeeper start ${name} --replace`,
    },
  );
}
