/**
 * Watches a held claim, because cleaners delete old files and people tidy up. A removed or replaced file is put back under a
 * fresh lock. When another process owns the path by then, the claim is lost and its holder must stop serving. Between the
 * removal and the next check the exclusive port bind keeps a second gateway out.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

import { GatewayLockError, LockkeeperError, errnoOf } from "../errors.ts";
import { addChore } from "../chores.ts";
import { pause } from "../pause.ts";
import type { Claim } from "./mechanism/claim.ts";

const DEFAULTS = {
  /** One stat a second costs about 0.001 % of a core. */
  intervalMs: 1_000,
  /** A newcomer that took the path but finds our port in use lets go again within milliseconds: give it this long. */
  graceMs: 300,
  /** How many failures in a row to put the file back are tolerated, one each interval (disk full, too many open files). */
  maxFailures: 10,
};

/** The claim that {@link watchClaim} watches. */
export interface WatchedClaim {
  readonly path: string;
  readonly claim: Claim;
  /** The bytes that the file must hold. */
  record(): Uint8Array;
  /** Called once, when the claim is lost. */
  onLost(reason: GatewayLockError): void;
}

/** Checks once every interval until it is stopped or the claim is lost. Does not keep the process alive. */
export function watchClaim(watched: WatchedClaim): { stop(): void } {
  let failures = 0;
  let isBusy = false;
  let isStopped = false;

  const mend = async (): Promise<void> => {
    isBusy = true;
    try {
      const outcome = await putBack(watched, () => isStopped);
      failures = 0;
      if (outcome === "refused" && !isStopped) lose(lost(watched.path, "another process took it over"));
    } catch (error) {
      failures += 1;
      const isUnsafe = error instanceof LockkeeperError && error.code === "UNSAFE_PATH";
      if (isUnsafe || failures >= DEFAULTS.maxFailures) lose(lost(watched.path, "it cannot be put back", error));
    } finally {
      isBusy = false;
    }
  };
  // No promise is made while all is well: it would be half of an idle keeper's garbage.
  const look = (): void => {
    if (!isBusy && watched.claim.isInPlace() === "no") void mend();
  };
  const endLooks = addChore(DEFAULTS.intervalMs, look);

  const stop = (): void => {
    isStopped = true;
    endLooks();
  };
  const lose = (reason: GatewayLockError): void => {
    if (isStopped) return;
    stop();
    watched.onLost(reason);
  };
  return { stop };
}

async function putBack(
  { path, claim, record }: WatchedClaim,
  isStopped: () => boolean,
): Promise<"restored" | "refused"> {
  const deadline = performance.now() + DEFAULTS.graceMs;
  makeDirectory(dirname(path));
  for (;;) {
    const outcome = await claim.restore(record());
    if (outcome === "restored" || isStopped() || performance.now() >= deadline) return outcome;
    await pause(DEFAULTS.graceMs / 10);
  }
}

/** A cleaner may remove the empty directory too; but a removed profile must not be created again. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

function lost(path: string, how: string, cause?: unknown): GatewayLockError {
  return new GatewayLockError("LOCK_LOST", `the gateway lock was lost: ${path} was removed or replaced, and ${how}`, {
    cause,
    hint: "Find out what deletes or moves files in that directory.",
  });
}
