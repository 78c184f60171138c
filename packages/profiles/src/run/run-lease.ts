/** What a keeper needs for a profile with a lease. Nothing here is loaded for any other. */
import type { KeeperLease } from "@lockkeeper/core";
import path from "node:path";
import type { ProfilesContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";

/** How a run waits for its lease. */
export interface LeaseWaits {
  /** Whether to wait while another host owns it. @default what the lease says */
  readonly standby?: boolean | undefined;
  /** Whether to wait for an engine that does not answer. @default false */
  readonly patient?: boolean | undefined;
}

/** Lies in the state, which the hosts share, so that an owner of the past meets it there. */
const TOKEN_NAME = ".lockkeeper-lease.json";

/** Returns how the run is owned across hosts; undefined for a profile without a lease. */
export function keeperLease(
  { home, programs }: ProfilesContext,
  { name, lease, paths }: Manifest,
  { standby, patient }: LeaseWaits,
): KeeperLease | undefined {
  if (lease === undefined) return undefined;
  // The sentinel comes with the keeper, in the same form: a module of this package, or one file of a bundle.
  const sentinel = path.join(path.dirname(programs.keeper), `sentinel${path.extname(programs.keeper)}`);
  return {
    settings: lease,
    sentinelArgv: [process.execPath, sentinel, "--home", home, "--profile", name],
    tokenPath: path.join(paths.state, TOKEN_NAME),
    whenHeld: (standby ?? lease.standby) ? "wait" : "fail",
    whenUnavailable: patient === true ? "wait" : "fail",
  };
}
