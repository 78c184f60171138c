/** What a unit of ours says, whatever the service manager. */
export interface UnitPlan {
  readonly profile: string;
  readonly home: string;
  /** What starts this program: the runtime and the entry, both absolute. */
  readonly launcher: readonly [string, ...string[]];
  /** From the request to stop until the manager kills: the profile's own time and what the keeper needs beside it. */
  readonly stopTimeoutMs: number;
  /** Tells the manager when the gateway is ready; absent where nothing can: then a wait after the start stands for it. */
  readonly notifies: boolean;
  /** It may wait for a lease for as long as another host lives: then nothing waits for it to run. */
  readonly mayStandBy: boolean;
  /** The manager ends and restarts a gateway whose health was not confirmed for this long. */
  readonly watchdogMs?: number | undefined;
  readonly harden: boolean;
  /** Whose the processes are: for a unit of the whole system. */
  readonly user?: string | undefined;
  readonly memoryMaxBytes?: number | undefined;
}
