/** The content of our units, for any service manager. */
import type { ProfileName } from "../profile-name.ts";

/** What one unit says, whichever manager reads it. */
export interface UnitPlan {
  readonly profile: ProfileName;
  readonly home: string;
  /** The command that starts this program: the runtime and the entry, both absolute. */
  readonly launcher: readonly [string, ...string[]];
  /** Time from the request to stop until the manager kills: the profile's own time and the keeper's. */
  readonly stopTimeoutMs: number;
  /** Reports readiness to the manager; where that is impossible, a wait after the start replaces it. */
  readonly notifies: boolean;
  /** The profile may wait for a lease as long as another host lives, so nothing waits for it to run. */
  readonly mayStandBy: boolean;
  /** The manager restarts a gateway whose health was not confirmed for this long. */
  readonly watchdogMs?: number | undefined;
  readonly harden: boolean;
  /** The user of the processes, for a unit of the whole system. */
  readonly user?: string | undefined;
  readonly memoryMaxBytes?: number | undefined;
}
