/** Stops a profile and starts it again: never two gateways at any moment, and a keeper again for an orphan. */
import type { SparedProcess } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import type { ProfileStatus } from "../status/profile-status.ts";
import { requirePreflight } from "./preflight.ts";
import { handOver } from "./hand-over.ts";
import { isInsideRun } from "./inside-run.ts";
import { observeProfile, statusOf } from "../status/observe-profile.ts";
import { startProfile } from "./start.ts";
import { stopProfile } from "./stop.ts";

/** How a restart is waited for. */
export interface RestartOptions {
  /** For each half, in milliseconds. @default by kind */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What became of the restart. */
export interface RestartResult {
  /**
   * `handed-over`: this process is part of the gateway and will end with it; a process outside of it does the restart,
   * once this one has ended. `standby`: it was stopped, and another host owns the lease by now.
   */
  readonly outcome: "restarted" | "handed-over" | "standby";
  /** The gateway before did not end by itself in its time. */
  readonly killed: boolean;
  /** What the stop has left alone. */
  readonly spared: readonly SparedProcess[];
  readonly status: ProfileStatus;
}

/**
 * Restarts the profile; a stopped one is started. What runs is stopped only when the next start has what it needs.
 *
 * @throws {LockkeeperError} what {@link requirePreflight}, stop and start throw.
 */
export async function restartProfile(
  context: ProfilesContext,
  name: string,
  options: RestartOptions = {},
): Promise<RestartResult> {
  const before = observeProfile(context, name);
  const { keeper, gateway } = before.observed;
  if (keeper !== null || gateway !== null)
    await requirePreflight(context, before.manifest, "it was not stopped and still runs");
  if (isInsideRun(context, before)) {
    await handOver(context, before, "restart", options.timeoutMs);
    return { outcome: "handed-over", killed: false, spared: [], status: statusOf(context, before) };
  }
  const { outcome, spared } = await stopProfile(context, name, options);
  const { outcome: started, status } = await startProfile(context, name, options);
  return { outcome: started === "standby" ? started : "restarted", killed: outcome === "killed", spared, status };
}
