/** The runs that this process itself keeps, so that a program with an embedded keeper stops it without a signal to itself. */
import { LockkeeperError } from "@lockkeeper/core";

interface OwnRun {
  readonly stop: AbortController;
  /** Settles when the run is over. */
  readonly over: Promise<unknown>;
}

const runs = new Map<string, OwnRun>();

/** Runs `keep` with a signal that {@link stopOwnRun} aborts. */
export async function asOwnRun<T>(
  home: string,
  profile: string,
  stop: AbortSignal,
  keep: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const key = keyOf(home, profile);
  const asked = new AbortController();
  const over = keep(AbortSignal.any([stop, asked.signal]));
  const run: OwnRun = { stop: asked, over };
  // A second attempt beside a living run fails at once and must not hide it.
  if (!runs.has(key)) runs.set(key, run);
  try {
    return await over;
  } finally {
    if (runs.get(key) === run) runs.delete(key);
  }
}

/**
 * Ends the run of the profile that this process keeps; returns when it is over.
 *
 * @throws {LockkeeperError} RECORD_UNVERIFIED when this process keeps no such run: the record names us by mistake.
 */
export async function stopOwnRun(home: string, profile: string): Promise<void> {
  const run = runs.get(keyOf(home, profile));
  if (run === undefined) {
    throw new LockkeeperError("RECORD_UNVERIFIED", `the record of ${profile} names this very process as its keeper`, {
      hint: `lockkeeper status ${profile}`,
    });
  }
  run.stop.abort();
  await run.over.catch(() => undefined);
}

function keyOf(home: string, profile: string): string {
  return `${home}\0${profile}`;
}
