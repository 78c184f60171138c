/**
 * What `run --stay` does when its run is over: nothing, until a signal ends it. For engines of containers that start again whatever
 * ends, and would undo a person's `stop` or repeat a start that cannot succeed.
 */
import { LockkeeperError } from "@lockkeeper/core";
import type { KeeperOutcome } from "@lockkeeper/core";
import type { Profiles } from "@lockkeeper/profiles";
import { once } from "node:events";
import type { Context } from "./context.ts";
import { errorText } from "./error-text.ts";
import { statusOfError } from "./exit-status.ts";
import { viewOf } from "./terminal/view.ts";

/** Between two ticks that do nothing, in milliseconds. */
const LONG_MS = 3_600_000;

/** On return a signal asked for the end; at once when that was what ended the run. */
export async function stayAfter(
  context: Context,
  profiles: Profiles,
  name: string,
  { outcome, onRequest }: Pick<KeeperOutcome, "outcome" | "onRequest">,
): Promise<void> {
  const { stop, force } = context.world.interruption();
  if (outcome !== "stopped") return stay(context, profiles, name, stop);
  // The signal that a person's `stop` sent was the first; the engine's is the next one.
  if (onRequest === true) await stay(context, profiles, name, force);
}

/** Returns what `attempt` comes to; when it fails, says so, stays, and then returns the exit status of the error. */
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
    // The one document on stderr comes last.
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
  // A listener for signals alone does not keep a process.
  const idle = setInterval(() => undefined, LONG_MS);
  await once(until, "abort");
  clearInterval(idle);
  if (world.pid !== 1 && world.parentPid !== 1) return;
  // With this process its container ends, and with that whatever somebody has started in it meanwhile.
  try {
    await profiles.stop(name);
  } catch (error) {
    // It runs elsewhere, or is none of ours: then it does not end with this container.
    if (!(error instanceof LockkeeperError)) throw error;
  }
}
