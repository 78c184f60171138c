/**
 * `run --stay` after its run is over: it waits until a signal ends it. For container engines, which restart everything that
 * ends and would undo a person's `stop` or repeat a start that cannot succeed.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { KeeperOutcome } from "@lockkeeper/core";
import type { Profiles } from "@lockkeeper/profiles";
import { once } from "node:events";
import type { Context } from "./context.ts";
import { errorText } from "./error-text.ts";
import { statusOfError } from "./exit-status.ts";
import { viewOf } from "./terminal/view.ts";

/** Pause between two idle ticks. */
const LONG_MS = 3_600_000;

/** Returns when a signal asks for the end; at once when a signal ended the run. */
export async function stayAfter(
  context: Context,
  profiles: Profiles,
  name: string,
  { outcome, onRequest }: Pick<KeeperOutcome, "outcome" | "onRequest">,
): Promise<void> {
  const { stop, force } = context.world.interruption();
  if (outcome !== "stopped") return stay(context, profiles, name, stop);
  // The first signal came from a person's `stop`; the next one comes from the engine.
  if (onRequest === true) await stay(context, profiles, name, force);
}

/** Returns the result of `attempt`; when it fails, reports that, stays, and then returns the exit status of the error. */
export async function stayAfterError<T extends object>(
  context: Context,
  profiles: Profiles,
  name: string,
  attempt: Promise<T>,
): Promise<T | number> {
  try {
    return await attempt;
  } catch (error) {
    const { stop } = context.world.interruption();
    const { stderr, env } = context.world;
    if (!context.json && !stop.aborted) stderr.write(errorText(error, viewOf(stderr, env, false).paint, name));
    await stay(context, profiles, name, stop);
    // The single document on stderr comes last.
    if (context.json) throw error;
    return statusOfError(error);
  }
}

async function stay(context: Context, profiles: Profiles, name: string, until: AbortSignal): Promise<void> {
  const { world, json, view } = context;
  if (until.aborted) return;
  if (!json && !view.quiet) {
    world.stderr.write(
      `${name}: this process stays until a signal ends it; to run it again: lockkeeper start ${name}\n`,
    );
  }
  // A signal handler alone does not keep a process alive.
  const idle = setInterval(() => undefined, LONG_MS);
  await once(until, "abort");
  clearInterval(idle);
  if (world.pid !== 1 && world.parentPid !== 1) return;
  // When this process ends, its container ends, and with it every process that was started in it meanwhile.
  try {
    await profiles.stop(name);
  } catch (error) {
    // It runs elsewhere, or is not ours: then it does not end with this container.
    if (!(error instanceof LockkeeperError)) throw error;
  }
}
