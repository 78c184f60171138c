/** The needs of a keeper for a profile with a lease. Loaded for no other profile. */
import type { KeeperLease } from "@lockkeeper/core";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";

/** How a run waits for its lease. */
export interface LeaseWaits {
  /** Whether to wait while another host owns it. @default the lease's own setting */
  readonly standby?: boolean | undefined;
  /** Whether to wait for an engine that does not answer. @default false */
  readonly patient?: boolean | undefined;
}

/** The token file is in the state, which the hosts share, so that a past owner sees it. */
const TOKEN_NAME = ".lockkeeper-lease.json";

/** Returns how the run is owned across hosts; undefined for a profile without a lease. */
export function keeperLease(
  { home, programs }: ProfilesContext,
  { name, lease, paths }: Manifest,
  { standby, patient }: LeaseWaits,
): KeeperLease | undefined {
  if (lease === undefined) return undefined;
  // The sentinel has the same form as the keeper: a module of this package, or one file of a bundle.
  const sentinel = path.join(path.dirname(programs.keeper), `sentinel${path.extname(programs.keeper)}`);
  return {
    settings: lease,
    sentinelArgv: [process.execPath, sentinel, "--home", home, "--profile", name],
    tokenPath: path.join(paths.state, TOKEN_NAME),
    whenHeld: (standby ?? lease.standby) ? "wait" : "fail",
    whenUnavailable: patient === true ? "wait" : "fail",
  };
}
