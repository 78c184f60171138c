/** What a stop means when the keeper is the main process of its container: everything in it ends, this command too. */
import { LockkeeperError } from "@lockkeeper/core";
import { isMainProcess } from "@lockkeeper/core/internal";
import type { ProfileObservation } from "../status/observe-profile.ts";

/** Returns whether this container ends with the observed run. */
export function endsContainer({ record, observed: { owner, keeper } }: ProfileObservation): boolean {
  if (keeper === null || owner !== "here" || record?.stays === true) return false;
  // An embedding program decides itself whether it goes on after its run.
  return keeper.pid !== process.pid && isMainProcess(keeper.pid);
}

/**
 * Returns when a start can follow a stop of the observed run.
 *
 * @param consequence `it was not stopped and still runs`.
 * @throws {LockkeeperError} PROFILE_RUNNING
 */
export function requireStartAfterStop(observation: ProfileObservation, consequence: string): void {
  if (!endsContainer(observation)) return;
  const { name } = observation.manifest;
  const cause = "its keeper is the main process of this container, which would end before the next start";
  throw new LockkeeperError("PROFILE_RUNNING", `${name}: ${consequence}: ${cause}`, {
    hint: `Restart the container from outside; to restart inside of it, its command must be: lockkeeper run ${name} --stay`,
  });
}
