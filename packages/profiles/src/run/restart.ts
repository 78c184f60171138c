/** Stops a profile and starts it again: there are never two gateways, and an orphan gets a keeper again. */
import type { SparedProcess } from "@lockkeeper/core/internal";
import type { ProfilesContext } from "../context.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { requirePreflight } from "./preflight.ts";
import { handOver } from "./hand-over.ts";
import { isInsideRun } from "./inside-run.ts";
import { requireStartAfterStop } from "./main-process.ts";
import { observeProfile, statusOf } from "../status/observe-profile.ts";
import { startProfile } from "./start.ts";
import { stopProfile } from "./stop.ts";

const STILL_RUNS = "it was not stopped and still runs";

/** Options of a restart. */
export interface RestartOptions {
  /** For each half. @default by kind */
  readonly timeoutMs?: number | undefined;
  /** What asks for it, for the history, as one line without secrets: `"lockkeeper up"`. @default "lockkeeper restart" */
  readonly startedBy?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** The result of a restart. */
export interface RestartResult {
  /**
   * `handed-over`: this process is part of the gateway and ends with it; a process outside does the restart after that.
   * `standby`: the gateway was stopped, and another host owns the lease now.
   */
  readonly outcome: "restarted" | "handed-over" | "standby";
  /** The old gateway did not end by itself in time. */
  readonly killed: boolean;
  /** Processes that the stop has spared. */
  readonly spared: readonly SparedProcess[];
  readonly status: ProfileStatus;
}

/**
 * Restarts the profile; a stopped one is started. A running gateway is stopped only when the next start has everything that it
 * needs.
 *
 * @throws {LockkeeperError} the errors of {@link requirePreflight}, stop and start.
 */
export async function restartProfile(
  context: ProfilesContext,
  name: string,
  options: RestartOptions = {},
): Promise<RestartResult> {
  const before = observeProfile(context, name);
  const { keeper, gateway } = before.observed;
  if (keeper !== null || gateway !== null) {
    requireStartAfterStop(before, STILL_RUNS);
    await requirePreflight(context, before.manifest, STILL_RUNS);
  }
  if (isInsideRun(context, before)) {
    await handOver(context, before, "restart", options.timeoutMs);
    return { outcome: "handed-over", killed: false, spared: [], status: statusOf(context, before) };
  }
  const { outcome, spared } = await stopProfile(context, name, options);
  const again = { ...options, startedBy: options.startedBy ?? '"lockkeeper restart"' };
  const { outcome: started, status } = await startProfile(context, name, again);
  return { outcome: started === "standby" ? started : "restarted", killed: outcome === "killed", spared, status };
}
