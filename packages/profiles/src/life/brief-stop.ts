/** Stops a profile for the time of an action, and starts it again afterwards. */
import { LockkeeperError } from "@lockkeeper/core";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { isInsideRun } from "../run/inside-run.ts";
import { requireStartAfterStop } from "../run/main-process.ts";
import { requirePreflight } from "../run/preflight.ts";
import type { StartOptions, StartResult } from "../run/start.ts";
import type { StopOptions, StopResult } from "../run/stop.ts";
import { observeManifest } from "../status/observe-profile.ts";

/** How to stop and start a profile: by a keeper or by its service manager. */
export interface RunVerbs {
  readonly stop: (name: string, options: StopOptions) => Promise<StopResult>;
  readonly start: (name: string, options: StartOptions) => Promise<StartResult>;
}

/**
 * Runs `action` with the profile stopped, and starts it again even when the action fails; a profile that did not run stays
 * stopped.
 *
 * @throws {LockkeeperError} the errors of the preflight, before anything is stopped; CONFIRMATION_NEEDED inside its own
 * gateway; the errors of `stop`, `action` and `start`. The error of a failed start also reports the result of the action.
 */
export async function withBriefStop<T>(
  context: ProfilesContext,
  manifest: Manifest,
  { stop, start }: RunVerbs,
  options: Pick<StopOptions, "signal" | "onProgress"> & Pick<StartOptions, "startedBy">,
  action: () => Promise<T>,
): Promise<{ readonly value: T; readonly wasStopped: boolean }> {
  const { name } = manifest;
  const before = observeManifest(context, manifest);
  const { keeper, gateway } = before.observed;
  if (keeper === null && gateway === null) return { value: await action(), wasStopped: false };
  if (isInsideRun(context, before)) {
    throw new LockkeeperError("CONFIRMATION_NEEDED", `this command runs inside the gateway of ${name}`, {
      hint: "It would end with it: give the command in a shell outside of it.",
    });
  }
  // A run on another port was requested, so it goes on there.
  const port = before.record === undefined || before.record.port === manifest.port ? undefined : before.record.port;
  const consequence = "it was not stopped and still runs";
  requireStartAfterStop(before, consequence);
  await requirePreflight(context, manifest, consequence, { port });
  const { startedBy, ...stopOptions } = options;
  await stop(name, stopOptions);
  let done = "nothing was done";
  try {
    const value = await action();
    done = "what was asked for is done";
    return { value, wasStopped: true };
  } finally {
    await startAgain(name, done, () => start(name, { port, startedBy, onProgress: options.onProgress }));
  }
}

async function startAgain(name: string, done: string, start: () => Promise<unknown>): Promise<void> {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    throw new LockkeeperError(error.code, `${done}, but ${name} did not start again: ${error.message}`, {
      cause: error,
      evidence: error.evidence,
      hint: error.hint ?? `lockkeeper why ${name}`,
    });
  }
}
